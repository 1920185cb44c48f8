"""The formats of strings, checked by the readers that convert them for the function."""

from collections.abc import Callable
from functools import partial

from application.json.formats import READERS, fits

FORMATS: dict[str, Callable[[str], bool]] = {format: partial(fits, format) for format in READERS}
"""The formats by name. Those of RFC 3339 would be stricter: they require a time zone, which a function may not."""
