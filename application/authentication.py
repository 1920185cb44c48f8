"""Authentication: the access that the credentials of a request give.

While there is no API key, and no identity provider, the API is open: every request may do everything.
"""

import hmac
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from application.conflict_retry import retry_on_conflict
from application.errors import StatementRefused, StorageUnavailable, Unauthenticated
from application.ports.clock import Clock
from application.ports.identity_provider import IdentityProvider
from application.ports.unit_of_work import Begin
from application.recent import Recent
from domain.access import OPEN, Access
from domain.api_key import ApiKey, token_of
from domain.ids import ApiKeyId
from domain.instants import after

LAST_USE_SECONDS = 60.0
"""Seconds in which a process notes the use of a key once."""
SESSION_SECONDS = 7 * 86_400
"""Seconds for which a browser stays signed in, unless its key expires or is revoked before."""
NO_CREDENTIALS = (
    "the request needs an API key, in the header Authorization: Bearer ft_…, or a browser that is signed in to the "
    "dashboard"
)
UNKNOWN_KEY = "the API key is unknown, has expired or was revoked"
UNKNOWN_SESSION = "the session has ended: sign in again"


@dataclass(frozen=True, slots=True)
class Session:
    """A session of a browser: `text` proves that it has shown a key. It ends at `expires`."""

    text: str
    expires: datetime


class Authenticator:
    """Tells what a sender may do. Thread-safe. Keys that were revoked or made are known within 4 seconds.

    `requires_keys`: whether the API is closed even while there is no key.

    Raises StorageUnavailable: the keys could not be read.
    """

    def __init__(
        self, begin: Begin, clock: Clock, identities: IdentityProvider | None = None, requires_keys: bool = False
    ) -> None:
        self._begin = begin
        self._clock = clock
        self._identities = identities
        self._requires_keys = requires_keys
        self._is_closed = requires_keys or identities is not None
        self._has_keys = Recent[None, bool](self._read_has_keys, clock)
        self._keys = Recent[ApiKeyId, ApiKey | None](self._read_key, clock)
        self._noted: dict[ApiKeyId, float] = {}
        """When the use of each key was noted last."""

    def is_open(self) -> bool:
        """Whether requests need no credentials."""
        return not (self._is_closed or self._has_keys(None))

    def lacks_keys(self) -> bool:
        """Whether there is no key yet, though keys are required: nobody could use the API."""
        return self._requires_keys and self._identities is None and not self._has_keys(None)

    def access(self, credentials: str | None, session: str | None = None) -> Access:
        """The access of a sender with these credentials, or else with this session of a browser.

        Raises Unauthenticated: there are none, or they are not valid.
        """
        if self.is_open():
            return OPEN
        if credentials is not None:
            return self._access_of(credentials)
        if session is not None:
            return self._key_of_session(session).access
        raise Unauthenticated(NO_CREDENTIALS)

    def session(self, credentials: str) -> Session:
        """A session for who has shown an API key. Raises Unauthenticated: it is not valid."""
        key = self._valid_key(credentials)
        longest = after(self._clock.now(), SESSION_SECONDS)
        expires = min(longest, key.expires) if key.expires else longest
        named = f"{key.id}.{int(expires.timestamp())}"
        return Session(f"{named}.{_signature(key, named)}", expires)

    def _access_of(self, credentials: str) -> Access:
        if self._identities and token_of(credentials) is None:
            return self._identities.access(credentials)
        key = self._valid_key(credentials)
        self._note_use(key)
        return key.access

    def _valid_key(self, credentials: str) -> ApiKey:
        token = token_of(credentials)
        key = self._keys(token.id) if token else None
        if not (token and key and hmac.compare_digest(key.digest.encode(), token.digest.encode())):
            raise Unauthenticated(UNKNOWN_KEY)
        if not key.is_valid(self._clock.now()):
            raise Unauthenticated(UNKNOWN_KEY)
        return key

    def _key_of_session(self, session: str) -> ApiKey:
        named, _, signature = session.rpartition(".")
        id, _, expires = named.partition(".")
        key = self._keys(ApiKeyId(id)) if expires.isdecimal() and id.isalnum() else None
        if not (key and hmac.compare_digest(_signature(key, named).encode(), signature.encode())):
            raise Unauthenticated(UNKNOWN_SESSION)
        now = self._clock.now()
        if now >= datetime.fromtimestamp(int(expires), UTC) or not key.is_valid(now):
            raise Unauthenticated(UNKNOWN_SESSION)
        return key

    def _note_use(self, key: ApiKey) -> None:
        present = self._clock.monotonic()
        if present - self._noted.get(key.id, float("-inf")) < LAST_USE_SECONDS:
            return
        self._noted[key.id] = present
        # A storage that takes no writes for a while still tells who may read.
        with suppress(StorageUnavailable, StatementRefused), self._begin() as work:
            work.api_keys.note_use(key.id, self._clock.now())
            work.commit()

    @retry_on_conflict
    def _read_has_keys(self, _: None) -> bool:
        with self._begin() as work:
            return work.api_keys.has_any()

    @retry_on_conflict
    def _read_key(self, id: ApiKeyId) -> ApiKey | None:
        with self._begin() as work:
            return work.api_keys.get(id)


def _signature(key: ApiKey, named: str) -> str:
    """Proves that the service has made a session, to who knows the stored digest of the key."""
    return hmac.new(key.digest.encode(), f"session {named}".encode(), sha256).hexdigest()
