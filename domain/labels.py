"""The labels of a task: short texts by name, by which tasks are found and changed together."""

import re
from collections.abc import Mapping

from domain.errors import InvalidLabel, InvalidOption

MAX_LABELS = 10
MAX_NAME_CHARACTERS, MAX_VALUE_CHARACTERS = 63, 200
NAMES = f"up to {MAX_NAME_CHARACTERS} letters, digits, underscores, dots and hyphens, the first no dot or hyphen"
_NAME = re.compile(f"[A-Za-z0-9_][A-Za-z0-9_.-]{{0,{MAX_NAME_CHARACTERS - 1}}}")


def check_labels(labels: Mapping[str, str]) -> None:
    """Raises InvalidOption: there are too many labels. Raises InvalidLabel: one has a wrong name or a long value."""
    if len(labels) > MAX_LABELS:
        raise InvalidOption("labels", f"an object of {len(labels)}", f"at most {MAX_LABELS} labels")
    for name, value in labels.items():
        if not _NAME.fullmatch(name):
            raise InvalidLabel(name, f"named by {NAMES}")
        if len(value) > MAX_VALUE_CHARACTERS:
            raise InvalidLabel(name, f"a text of at most {MAX_VALUE_CHARACTERS} characters")
