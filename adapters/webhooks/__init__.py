"""Webhooks by HTTP: signed messages to addresses that clients have named."""

from collections.abc import Sequence

from adapters.webhooks.allowed_networks import Network
from application.ports.webhooks import WebhookSender

__all__ = ["new_webhook_sender"]


def new_webhook_sender(networks: Sequence[Network], secrets: Sequence[bytes]) -> WebhookSender:
    """A sender that signs with these secrets, and connects to public addresses and to those of these networks."""
    # httpcore takes a while to import, and only the janitor needs it.
    from adapters.webhooks.http_sender import HttpWebhookSender

    return HttpWebhookSender(networks, secrets)
