"""List the API keys, the oldest first."""

from collections.abc import Sequence

from application.conflict_retry import retry_on_conflict
from application.ports.unit_of_work import Begin
from domain.api_key import ApiKey


class ListApiKeys:
    """Lists all keys, revoked and expired ones included."""

    def __init__(self, begin: Begin) -> None:
        self._begin = begin

    @retry_on_conflict
    def __call__(self) -> Sequence[ApiKey]:
        """All keys."""
        with self._begin() as work:
            return work.api_keys.all()
