"""Revoke an API key: within seconds no process accepts it any more."""

from application.conflict_retry import retry_on_conflict
from application.errors import UnknownApiKey
from application.ports.clock import Clock
from application.ports.unit_of_work import Begin
from domain.api_key import ApiKey
from domain.ids import ApiKeyId


class RevokeApiKey:
    """Revokes a key. Raises UnknownApiKey: there is no such key."""

    def __init__(self, begin: Begin, clock: Clock) -> None:
        self._begin = begin
        self._clock = clock

    @retry_on_conflict
    def __call__(self, id: ApiKeyId) -> ApiKey:
        """The key as it is now. One that was revoked before stays as it is."""
        with self._begin() as work:
            key = work.api_keys.revoke(id, self._clock.now())
            work.commit()
        if key is None:
            raise UnknownApiKey(id)
        return key
