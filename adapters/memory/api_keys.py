"""The API keys in memory."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from adapters.memory.state import State
from application.ports.api_keys import Taken, taken_by
from domain.api_key import ApiKey
from domain.ids import ApiKeyId, Owner
from domain.rate import Rate


class MemoryApiKeyRepository:
    """Implements application.ports.api_keys.ApiKeyRepository."""

    def __init__(self, state: State) -> None:
        self._state = state

    def add(self, key: ApiKey) -> bool:
        return self._state.api_keys.setdefault(key.id, key) is key

    def get(self, id: ApiKeyId) -> ApiKey | None:
        return self._state.api_keys.get(id)

    def all(self) -> Sequence[ApiKey]:
        return sorted(self._state.api_keys.values(), key=lambda key: (key.created, key.id))

    def has_any(self) -> bool:
        return bool(self._state.api_keys)

    def revoke(self, id: ApiKeyId, now: datetime) -> ApiKey | None:
        if key := self._state.api_keys.get(id):
            self._state.api_keys[id] = replace(key, revoked=key.revoked or now)
        return self._state.api_keys.get(id)

    def take(self, owner: Owner, rate: Rate, wanted: int, now: datetime) -> Taken:
        before = self._state.next_requests.get(owner, now)
        taken, self._state.next_requests[owner] = taken_by(rate, before, wanted, now)
        return taken

    def note_use(self, id: ApiKeyId, now: datetime) -> None:
        if key := self._state.api_keys.get(id):
            self._state.api_keys[id] = replace(key, last_used=now)
