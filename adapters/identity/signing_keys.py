"""The signing keys of an identity provider: its JSON Web Key Set, from an address or a file."""

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.request import Request, urlopen

from jwt import PyJWK
from jwt.exceptions import PyJWTError

from application.errors import StorageUnavailable
from application.isolation import log_once
from application.ports.clock import Clock

MAX_AGE_SECONDS = 300.0
"""Seconds after which the keys are read again."""
MIN_AGE_SECONDS = 10.0
"""Seconds between two readings at least, whoever shows a token with an unknown key."""
TIMEOUT_SECONDS = 5.0
MAX_BYTES = 1024 * 1024
log = logging.getLogger(__name__)


class SigningKeys:
    """The public keys by their ids. Thread-safe: one thread reads them while the others use those that it has.

    While they cannot be read again, those that were read last are used.
    """

    def __init__(self, source: str, clock: Clock) -> None:
        self._source = source
        self._clock = clock
        self._lock = Lock()
        self._keys: Mapping[str | None, PyJWK] = {}
        self._tried_at = float("-inf")

    def get(self, id: str | None) -> PyJWK | None:
        """The key of that id; of a set with one key, that key for a token without an id. None if there is none.

        Raises StorageUnavailable: no keys could be read yet.
        """
        keys = self._keys
        age = self._clock.monotonic() - self._tried_at
        if age >= (MAX_AGE_SECONDS if id in keys else MIN_AGE_SECONDS) and self._lock.acquire(blocking=not keys):
            try:
                self._refresh()
            finally:
                self._lock.release()
        if not self._keys:
            raise StorageUnavailable
        return self._keys.get(id)

    def _refresh(self) -> None:
        if self._clock.monotonic() - self._tried_at < MIN_AGE_SECONDS:
            return
        try:
            self._keys = _by_id(json.loads(_text(self._source)))
        except (OSError, ValueError, PyJWTError) as error:
            log_once(log, f"the keys of the identity provider could not be read from {self._source}", error)
        finally:
            self._tried_at = self._clock.monotonic()


def _text(source: str) -> bytes:
    if "://" not in source:
        return Path(source).read_bytes()
    with urlopen(Request(source, headers={"Accept": "application/json"}), timeout=TIMEOUT_SECONDS) as answer:
        text: bytes = answer.read(MAX_BYTES + 1)
    if len(text) > MAX_BYTES:
        raise ValueError(f"more than {MAX_BYTES} bytes")
    return text


def _by_id(found: Any) -> Mapping[str | None, PyJWK]:
    """The keys that sign tokens. Those of an unknown kind are left out. Raises ValueError: there is none."""
    keys: dict[str | None, PyJWK] = {}
    for each in found["keys"] if isinstance(found, dict) and isinstance(found.get("keys"), list) else ():
        try:
            if isinstance(each, dict) and each.get("use", "sig") == "sig" and each.get("kty") != "oct":
                keys[each.get("kid")] = PyJWK.from_dict(each)
        except PyJWTError as error:
            log.debug("a key of the identity provider is left out: %s", error)
    if not keys:
        raise ValueError("it is no JSON Web Key Set with a key that signs tokens")
    if len(keys) == 1:
        keys[None] = next(iter(keys.values()))
    return keys
