"""Signatures of webhooks, by the specification's own example and by its own library."""

from base64 import b64decode, b64encode
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from adapters.webhooks.signing import Signer

SECRET = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
KEY = b64decode(SECRET)
BODY = b'{"test": 2432232314}'
EXAMPLE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_signer_gives_the_example_of_the_specification_its_signature() -> None:
    sent = datetime.fromtimestamp(1614265330.999, UTC)
    assert Signer([KEY]).headers("msg_p5jXN8AQM9LWM0D4loKWxJek", sent, BODY) == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": EXAMPLE,
    }


def test_signature_is_verified_with_any_one_of_the_secrets() -> None:
    other = b"o" * 64
    headers = Signer([other, KEY]).headers("task-1-1", datetime.now(UTC), BODY)
    for key in (KEY, other):
        assert Webhook("whsec_" + b64encode(key).decode()).verify(BODY, headers) == {"test": 2432232314}


@pytest.mark.parametrize(
    "changed", [{"webhook-id": "task-1-2"}, {"webhook-timestamp": str(int(datetime.now(UTC).timestamp()) - 60)}]
)
def test_signature_of_a_changed_message_is_refused(changed: dict[str, str]) -> None:
    headers = Signer([KEY]).headers("task-1-1", datetime.now(UTC), BODY)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(BODY, headers | changed)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(BODY + b" ", headers)
