"""Messages to other people's addresses, by HTTP."""

from collections.abc import Sequence

from adapters.webhooks.allowed_networks import Network
from application.ports.webhooks import WebhookSender

__all__ = ["new_webhook_sender"]


def new_webhook_sender(networks: Sequence[Network]) -> WebhookSender:
    """The post, which calls public addresses and those of these networks."""
    # What speaks HTTP takes a while to import, and only the janitor needs it.
    from adapters.webhooks.http_sender import HttpWebhookSender

    return HttpWebhookSender(networks)
