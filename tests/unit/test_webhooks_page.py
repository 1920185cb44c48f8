"""docs/webhooks.md: the programs that verify a message take one of ours, and refuse another."""

import json
import shutil
import subprocess
from base64 import b64encode
from datetime import UTC, datetime

import pytest
from standardwebhooks import WebhookVerificationError

from adapters.webhooks.signing import Signer
from tests.e2e.examples import blocks

KEY = b"k" * 32
SECRET = "whsec_" + b64encode(KEY).decode()
BODY = json.dumps({"type": "task.done", "data": {"id": 192}}).encode()
NODE = shutil.which("node")


def headers(key: bytes) -> dict[str, str]:
    return Signer([key]).headers("task-192-1", datetime.now(UTC), BODY)


def test_the_program_in_python_verifies_a_message(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WEBHOOK_SECRET", SECRET)
    names: dict[str, object] = {"__name__": "receiver"}
    exec(blocks("docs/webhooks.md", "python")[0], names)
    app = names["app"]
    app.testing = True  # type: ignore[attr-defined]
    client = app.test_client()  # type: ignore[attr-defined]
    assert client.post("/told", data=BODY, headers=headers(KEY)).status_code == 204
    assert capsys.readouterr().out == "task.done 192\n"
    with pytest.raises(WebhookVerificationError):
        client.post("/told", data=BODY, headers=headers(b"o" * 32))


@pytest.mark.skipif(NODE is None, reason="this machine has no Node to run the program with")
@pytest.mark.parametrize(("key", "said"), [(KEY, "task.done"), (b"o" * 32, "not signed by us")])
def test_the_program_in_javascript_verifies_a_message(key: bytes, said: str) -> None:
    (program,) = blocks("docs/webhooks.md", "js")
    arguments = ", ".join(map(json.dumps, (headers(key), BODY.decode(), SECRET)))
    call = f"try {{ console.log(verified({arguments}).type) }} catch (error) {{ console.log(error.message) }}"
    done = subprocess.run([str(NODE), "-e", program + call], capture_output=True, text=True, timeout=60)
    assert done.stdout == f"{said}\n", done.stderr
