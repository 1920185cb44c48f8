"""API keys: they are found by their ids, and stay when they are revoked."""

from dataclasses import replace
from typing import Any

from application.ports.api_keys import Taken
from domain.access import Scope
from domain.api_key import ApiKey
from domain.ids import ApiKeyId, Owner, TypeName
from domain.rate import Rate
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
        per_second=0.5,
        burst=7,
        max_waiting=9,
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


def take(storage: Storage, wanted: int, seconds: float = 0, owner: str = "ana") -> Taken:
    with storage.begin() as work:
        taken = work.api_keys.take(Owner(owner), Rate(2, 3), wanted, at(seconds))
        work.commit()
    return taken


def test_no_more_requests_are_taken_than_a_rate_allows(storage: Storage):
    assert take(storage, 2) == Taken(2, 0)
    assert take(storage, 5) == Taken(1, 0.5)
    assert take(storage, 1) == Taken(0, 0.5)
    assert take(storage, 5, 0.5) == Taken(1, 0.5)
    assert take(storage, 5, 100) == Taken(3, 0.5)


def test_each_owner_has_a_rate_of_its_own(storage: Storage):
    assert take(storage, 3).number == 3
    assert take(storage, 3, owner="ben").number == 3


def test_requests_are_allowed_again_soon_after_a_clock_was_set_back(storage: Storage):
    take(storage, 3, 10_000)
    assert take(storage, 1) == Taken(0, 0.5)
    assert take(storage, 1, 0.5).number == 1
