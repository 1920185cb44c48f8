"""A page that a supervisor and its child both see: on it stands the number of a run that is no longer wanted."""

import mmap
import os
from struct import Struct

_NUMBER = Struct("Q")
SIZE = mmap.PAGESIZE


class Board:
    """The child reads it without asking anybody, so a function can look as often as it likes."""

    def __init__(self, descriptor: int) -> None:
        self._page = mmap.mmap(descriptor, SIZE)
        os.close(descriptor)

    def cancel(self, run: int) -> None:
        """That run is no longer wanted."""
        _NUMBER.pack_into(self._page, 0, run)

    def is_cancelled(self, run: int) -> bool:
        """Whether that run is no longer wanted."""
        return bool(_NUMBER.unpack_from(self._page, 0)[0] == run)

    def close(self) -> None:
        """Look at it no more."""
        self._page.close()
