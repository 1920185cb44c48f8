"""API keys: they are found by their ids, and stay when they are revoked."""

from dataclasses import replace
from typing import Any

from domain.access import Scope
from domain.api_key import ApiKey
from domain.ids import ApiKeyId, TypeName
from tests.steps import NOW, at
from tests.storage import Storage

KEY = ApiKey(id=ApiKeyId("abcd1234"), digest="d1", name="a front end", scopes=frozenset({Scope.SUBMIT}), created=NOW)


def add(storage: Storage, key: ApiKey = KEY, **changed: Any) -> ApiKey:
    added = replace(key, **changed)
    with storage.begin() as work:
        assert work.api_keys.add(added)
        work.commit()
    return added


def get(storage: Storage, id: str = KEY.id) -> ApiKey | None:
    with storage.begin() as work:
        return work.api_keys.get(ApiKeyId(id))


def test_a_key_is_found_as_it_was_added(storage: Storage):
    plain = add(storage)
    whole = add(
        storage,
        id=ApiKeyId("zzzz9999"),
        scopes=frozenset(Scope),
        types=frozenset({TypeName("add"), TypeName("a,b")}),
        own_only=True,
        expires=at(60),
        last_used=at(1),
        revoked=at(2),
    )
    assert get(storage) == plain
    assert get(storage, "zzzz9999") == whole
    assert get(storage, "other") is None


def test_all_keys_are_listed_the_oldest_first(storage: Storage):
    for id, seconds in (("b", 5), ("a", 5), ("c", 0)):
        add(storage, id=ApiKeyId(id), created=at(seconds))
    with storage.begin() as work:
        assert [key.id for key in work.api_keys.all()] == ["c", "a", "b"]


def test_an_id_is_given_to_one_key_only(storage: Storage):
    add(storage)
    with storage.begin() as work:
        assert not work.api_keys.add(replace(KEY, digest="d2"))
        work.commit()
    assert get(storage) == KEY


def test_a_storage_has_keys_from_the_first_one_on_even_if_it_is_revoked(storage: Storage):
    with storage.begin() as work:
        assert not work.api_keys.has_any()
    add(storage, revoked=NOW)
    with storage.begin() as work:
        assert work.api_keys.has_any()


def test_the_first_revocation_stands(storage: Storage):
    add(storage)
    for seconds in (3, 9):
        with storage.begin() as work:
            assert work.api_keys.revoke(KEY.id, at(seconds)) == replace(KEY, revoked=at(3))
            work.commit()
    assert get(storage) == replace(KEY, revoked=at(3))


def test_the_revocation_of_an_unknown_key_finds_none(storage: Storage):
    with storage.begin() as work:
        assert work.api_keys.revoke(ApiKeyId("other"), NOW) is None


def test_the_last_use_of_a_key_is_noted(storage: Storage):
    add(storage)
    with storage.begin() as work:
        work.api_keys.note_use(KEY.id, at(7))
        work.api_keys.note_use(ApiKeyId("other"), at(7))
        work.commit()
    assert get(storage) == replace(KEY, last_used=at(7))
