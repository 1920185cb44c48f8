"""Output of C libraries: it passes through a buffer of their own before it reaches the descriptor."""

import ctypes
import sys
from contextlib import suppress

_LINE_BY_LINE = 1


class COutput:
    """The C library's `stdout`, which Python does not flush."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(None)
        self._stream: ctypes.c_void_p | None = None
        with suppress(ValueError):
            self._stream = ctypes.c_void_p.in_dll(self._library, "__stdoutp" if sys.platform == "darwin" else "stdout")
            self._library.setvbuf(self._stream, None, _LINE_BY_LINE, ctypes.c_size_t(0))

    def flush(self) -> None:
        """Write what does not fill a line yet."""
        if self._stream is not None:
            self._library.fflush(self._stream)
