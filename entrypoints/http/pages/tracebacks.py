"""Tracebacks: their frames, and which of them are of the user's own code."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_FRAME = re.compile(r'^[ \t]*File "(?P<file>[^"\n]*)", line (?P<line>\d+)(?:, in (?P<function>.*))?$', re.MULTILINE)
_LIBRARY = re.compile(
    r"site-packages|dist-packages|[/\\]lib(?:64)?[/\\]python\d|^<frozen |[/\\]adapters[/\\]executors[/\\]"
)


@dataclass(frozen=True, slots=True)
class Part:
    """Lines of a traceback: a frame with what follows it, or what stands before the first one."""

    text: str
    is_library: bool


@dataclass(frozen=True, slots=True)
class Traceback:
    """A traceback. `own`: the place of its last frame in the user's own code, in words; None if it has none."""

    parts: Sequence[Part]
    own: str | None


def traceback_of(text: str) -> Traceback:
    """Split a traceback into frames."""
    frames = list(_FRAME.finditer(text))
    bounds = [*(frame.start() for frame in frames), len(text)]
    own = None
    parts = [Part(text[: bounds[0]], False)]
    for frame, end in zip(frames, bounds[1:], strict=True):
        lines = text[frame.start() : end]
        is_library = bool(_LIBRARY.search(frame["file"]))
        if not is_library:
            own = f"{_name(frame['file'])}, line {frame['line']}{_in(frame['function'])}"
        parts.extend(_frame_parts(lines, is_library))
    return Traceback([part for part in parts if part.text], own)


def _name(file: str) -> str:
    return file.replace("\\", "/").rpartition("/")[2]


def _in(function: str | None) -> str:
    return f", in {function}" if function else ""


def _frame_parts(lines: str, is_library: bool) -> Sequence[Part]:
    """A frame, and the lines after it that begin at the margin: those of the error, or of another traceback."""
    found = re.search(r"^\S", lines, re.MULTILINE)
    end = found.start() if found else len(lines)
    return [Part(lines[:end], is_library), Part(lines[end:], False)]
