"""The identity provider: a service of others, whose signed tokens say who a sender is."""

from typing import Protocol

from domain.access import Access


class IdentityProvider(Protocol):
    """Checks tokens."""

    def access(self, token: str) -> Access:
        """The rights that a token gives.

        Raises Unauthenticated: it is none of this provider, is not for this service, or has expired.
        Raises StorageUnavailable: the keys of the provider could not be read.
        """
        ...
