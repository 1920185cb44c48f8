"""`keys`: what it makes, lists and revokes."""

import json
from datetime import timedelta
from typing import Any

import pytest

from domain.access import Scope
from domain.api_key import token_of
from tests.unit.admin_service import AdminService


@pytest.fixture
def service() -> AdminService:
    return AdminService()


def create(service: AdminService, *options: str) -> dict[str, Any]:
    return json.loads(service.output("keys", "create", "--name", "front end", "--scope", "read", "--json", *options))


def test_a_key_is_printed_once_and_only_its_digest_is_stored(service: AdminService):
    printed = service.output("keys", "create", "--name", "first", "--scope", "admin").strip()
    token = token_of(printed)
    assert token
    (key,) = service.store.state.api_keys.values()
    assert (key.id, key.digest, key.scopes) == (token.id, token.digest, frozenset({Scope.ADMIN}))
    assert token.secret not in service.output("keys") + service.output("keys", "--json")


def test_a_key_has_what_its_options_say(service: AdminService):
    options = "--scope submit --type add --type mov3d --own-only --per-second 0.5 --burst 3 --max-waiting 9"
    created = create(service, *options.split(), "--expires", "2h")
    assert created["scopes"] == ["read", "submit"]
    assert (created["types"], created["own_only"]) == (["add", "mov3d"], True)
    assert (created["per_second"], created["burst"], created["max_waiting"]) == (0.5, 3, 9)
    assert created["expires"] == (service.clock.now() + timedelta(hours=2)).timestamp()


def test_the_list_has_a_line_for_each_key(service: AdminService):
    create(service)
    service.clock.move(1)
    create(service, "--expires", "1m", "--own-only", "--type", "add", "--per-second", "20", "--max-waiting", "5")
    service.clock.move(60)
    _, first, second = service.output("keys").splitlines()
    assert first.split()[1:] == ["front", "end", "valid", "read", "all", "all", "-", "-", "-"]
    assert second.split()[1:9] == ["front", "end", "expired", "read", "add", "own", "20/s,", "5"]
    listed = json.loads(service.output("keys", "--json"))["keys"]
    assert [key["id"] for key in listed] == [first.split()[0], second.split()[0]]


def test_a_key_is_revoked_by_its_id(service: AdminService):
    id = create(service)["id"]
    assert service.output("keys", "revoke", id) == f"Key {id} (front end) is revoked.\n"
    assert "revoked" in service.output("keys")


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ("keys revoke other", "Error: API key other does not exist\n"),
        ("keys create --name x --scope write", "'write' is not one of 'submit', 'read', 'manage', 'admin'"),
        ("keys create --name x --scope read --expires tomorrow", "'tomorrow' is not a time: write 2027-01-31T12:00Z"),
        ("keys create --name x --scope read --burst 2", "Error: burst is 2: it must be absent where per_second is\n"),
        ("keys create --name x --scope read --expires 2020-01-01", "it must be in the future"),
        ("keys create --scope read", "Missing option '--name'"),
    ],
)
def test_a_mistake_is_one_sentence(service: AdminService, command: str, sentence: str):
    asked = service.admin(*command.split())
    assert asked.exit_code in (1, 2)
    assert sentence in asked.stderr
    assert "Traceback" not in asked.stderr
