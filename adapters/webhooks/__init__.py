"""Messages to other people's addresses, by HTTP."""

from collections.abc import Sequence

from adapters.webhooks.allowed_networks import Network
from application.ports.webhooks import Post

__all__ = ["new_post"]


def new_post(networks: Sequence[Network]) -> Post:
    """The post, which calls public addresses and those of these networks."""
    # What speaks HTTP takes a while to import, and only the janitor needs it.
    from adapters.webhooks.http_sender import HttpPost

    return HttpPost(networks)
