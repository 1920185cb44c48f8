"""Slow answers to wrong API keys, so that nobody finds one by trying."""

from threading import BoundedSemaphore
from time import sleep

from flask import request
from werkzeug.exceptions import TooManyRequests

from application.wrong_keys import WrongKeys
from entrypoints.http.limits.concurrency import suspended

MAX_DELAYED = 16
"""Answers that are delayed at once, each of which holds a thread."""


class SlowAnswers:
    """Delays answers to wrong keys, by the address of their sender. Thread-safe."""

    def __init__(self, wrong_keys: WrongKeys) -> None:
        self._wrong_keys = wrong_keys
        self._delayed = BoundedSemaphore(MAX_DELAYED)

    def __call__(self) -> None:
        """Wait, longer each time. Raises TooManyRequests: too many answers wait already."""
        seconds = self._wrong_keys.delay(request.environ.get("REMOTE_ADDR", ""))
        if not seconds:
            return
        if not self._delayed.acquire(blocking=False):
            raise TooManyRequests("too many wrong API keys: try again later", retry_after=int(seconds) + 1)
        try:
            with suspended():
                sleep(seconds)
        finally:
            self._delayed.release()
