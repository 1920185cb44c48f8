"""Authentication over memory: which credentials give access, and how soon a decision holds."""

from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from application.authentication import LAST_USE_SECONDS, SESSION_SECONDS, Authenticator
from application.errors import StorageUnavailable, Unauthenticated, UnknownApiKey
from application.recent import MAX_AGE_SECONDS, MAX_STALE_SECONDS
from application.use_cases.create_api_key import ApiKeyRequest, CreateApiKey, CreatedApiKey
from application.use_cases.list_api_keys import ListApiKeys
from application.use_cases.revoke_api_key import RevokeApiKey
from domain.access import OPEN, Access, Scope
from domain.api_key import ApiKey, token_of
from domain.errors import InvalidOption
from domain.ids import ApiKeyId, Owner, TypeName
from tests.unit.memory_service import Service

READ = frozenset({Scope.READ})


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def authenticator(service: Service) -> Authenticator:
    return Authenticator(service.begin, service.clock)


def create(service: Service, scopes: Collection[Scope] = READ, **given: Any) -> CreatedApiKey:
    """Create a key, which every process has heard of."""
    request = ApiKeyRequest(**{"name": "a front end", "scopes": frozenset(scopes), **given})
    created = CreateApiKey(service.store.begin, service.clock)(request)
    service.clock.move(MAX_AGE_SECONDS)
    return created


def revoke(service: Service, id: ApiKeyId) -> ApiKey:
    return RevokeApiKey(service.store.begin, service.clock)(id)


def keys(service: Service) -> list[ApiKey]:
    return list(ListApiKeys(service.store.begin)())


class TestOpenApi:
    def test_without_any_key_everything_is_allowed(self, authenticator: Authenticator):
        assert authenticator.access(None) == authenticator.access("whatever") == OPEN
        assert all(OPEN.may(scope) for scope in Scope)

    def test_the_first_key_closes_the_api(self, service: Service, authenticator: Authenticator):
        assert authenticator.is_open()
        create(service)
        assert not authenticator.is_open()
        with pytest.raises(Unauthenticated, match="needs an API key"):
            authenticator.access(None)

    def test_a_revoked_key_leaves_the_api_closed(self, service: Service, authenticator: Authenticator):
        revoke(service, create(service).key.id)
        assert not authenticator.is_open()

    def test_an_api_that_requires_keys_is_never_open(self, service: Service):
        authenticator = Authenticator(service.begin, service.clock, requires_keys=True)
        with pytest.raises(Unauthenticated):
            authenticator.access(None)


class TestKeys:
    def test_a_key_gives_the_access_that_it_was_made_with(self, service: Service, authenticator: Authenticator):
        add = frozenset({TypeName("add")})
        created = create(service, {Scope.SUBMIT, Scope.READ}, types=add, own_only=True)
        assert authenticator.access(str(created.token)) == Access(
            owner=Owner(created.key.id), scopes=frozenset({Scope.SUBMIT, Scope.READ}), types=add, own_only=True
        )

    def test_the_token_has_the_form_that_the_docs_say_and_only_a_digest_is_stored(self, service: Service):
        created = create(service)
        assert token_of(str(created.token)) == created.token
        assert [len(part) for part in str(created.token).split("_")] == [2, 8, 32]
        assert created.token.secret not in repr(keys(service))

    def test_a_token_with_another_secret_is_refused(self, service: Service, authenticator: Authenticator):
        token = create(service).token
        wrong = replace_last(str(token))
        for text in (wrong, wrong.upper(), "", "ft_", f"{token}x", "Ünicode", f"ft_{'a' * 8}_{'b' * 32}"):
            with pytest.raises(Unauthenticated, match="unknown"):
                authenticator.access(text)

    def test_an_expired_key_is_refused(self, service: Service, authenticator: Authenticator):
        token = create(service, expires=service.clock.now() + timedelta(seconds=60)).token
        authenticator.access(str(token))
        service.clock.move(60)
        with pytest.raises(Unauthenticated):
            authenticator.access(str(token))

    def test_a_revocation_holds_within_five_seconds(self, service: Service, authenticator: Authenticator):
        created = create(service)
        authenticator.access(str(created.token))
        revoke(service, created.key.id)
        service.clock.move(MAX_AGE_SECONDS)
        with pytest.raises(Unauthenticated):
            authenticator.access(str(created.token))
        assert MAX_STALE_SECONDS < 5

    def test_a_short_outage_is_not_noticed_and_a_long_one_keeps_no_revoked_key(
        self, service: Service, authenticator: Authenticator
    ):
        token = str(create(service).token)
        access = authenticator.access(token)
        service.away = True
        service.clock.move(MAX_AGE_SECONDS)
        assert authenticator.access(token) == access
        service.clock.move(MAX_STALE_SECONDS - MAX_AGE_SECONDS)
        with pytest.raises(StorageUnavailable):
            authenticator.access(token)
        service.away = False
        assert authenticator.access(token) == access

    def test_keys_are_read_once_in_two_seconds(self, service: Service, authenticator: Authenticator):
        token = str(create(service).token)
        authenticator.access(token)
        begun = service.begun
        for _ in range(10):
            authenticator.access(token)
        assert service.begun == begun
        service.clock.move(MAX_AGE_SECONDS)
        for _ in range(10):
            authenticator.access(token)
        assert service.begun == begun + 2

    def test_the_use_of_a_key_is_noted_once_a_minute(self, service: Service, authenticator: Authenticator):
        token = str(create(service).token)
        assert keys(service)[0].last_used is None
        authenticator.access(token)
        first = service.clock.now()
        service.clock.move(LAST_USE_SECONDS - 1)
        authenticator.access(token)
        assert keys(service)[0].last_used == first
        service.clock.move(1)
        authenticator.access(token)
        assert keys(service)[0].last_used == service.clock.now()

    def test_a_wrong_secret_is_no_use_of_the_key(self, service: Service, authenticator: Authenticator):
        with pytest.raises(Unauthenticated):
            authenticator.access(replace_last(str(create(service).token)))
        assert keys(service)[0].last_used is None


class TestSessions:
    def test_a_session_gives_the_access_of_its_key(self, service: Service, authenticator: Authenticator):
        token = create(service).token
        session = authenticator.session(str(token))
        assert authenticator.access(None, session.text) == authenticator.access(str(token))
        assert token.secret not in session.text

    def test_a_changed_session_is_refused(self, service: Service, authenticator: Authenticator):
        session = authenticator.session(str(create(service).token)).text
        id, expires, signature = session.split(".")
        other = create(service).key.id
        later = f"{id}.{int(expires) + 1}.{signature}"
        for text in (later, f"{other}.{expires}.{signature}", replace_last(session), "", "..", "a.b.c", f"{id}.1.é"):
            with pytest.raises(Unauthenticated, match="sign in again"):
                authenticator.access(None, text)

    def test_a_session_ends_after_a_week(self, service: Service, authenticator: Authenticator):
        session = authenticator.session(str(create(service).token))
        service.clock.move(SESSION_SECONDS)
        with pytest.raises(Unauthenticated):
            authenticator.access(None, session.text)

    def test_a_session_ends_with_its_key(self, service: Service, authenticator: Authenticator):
        created = create(service, expires=service.clock.now() + timedelta(seconds=60))
        session = authenticator.session(str(created.token))
        assert session.expires == created.key.expires
        authenticator.access(None, session.text)
        revoke(service, created.key.id)
        service.clock.move(MAX_AGE_SECONDS)
        with pytest.raises(Unauthenticated):
            authenticator.access(None, session.text)

    def test_nobody_signs_in_with_a_wrong_key(self, service: Service, authenticator: Authenticator):
        token = str(create(service).token)
        with pytest.raises(Unauthenticated):
            authenticator.session(replace_last(token))


class TestManagingKeys:
    @pytest.mark.parametrize(
        ("wrong", "option"),
        [
            ({"name": ""}, "name"),
            ({"name": " "}, "name"),
            ({"name": "a\nb"}, "name"),
            ({"name": "x" * 101}, "name"),
            ({"scopes": frozenset()}, "scopes"),
            ({"types": []}, "types"),
        ],
    )
    def test_a_wrong_request_is_refused(self, service: Service, wrong: dict[str, Any], option: str):
        with pytest.raises(InvalidOption) as raised:
            create(service, **wrong)
        assert raised.value.option == option
        assert keys(service) == []

    def test_a_key_that_would_have_expired_is_refused(self, service: Service):
        with pytest.raises(InvalidOption, match="in the future"):
            create(service, expires=service.clock.now())

    def test_the_revocation_of_an_unknown_key_is_an_error(self, service: Service):
        with pytest.raises(UnknownApiKey, match="abcd1234"):
            revoke(service, ApiKeyId("abcd1234"))

    def test_a_second_revocation_changes_nothing(self, service: Service):
        id = create(service).key.id
        first = revoke(service, id)
        service.clock.move(5)
        assert revoke(service, id) == first == replace(keys(service)[0])


def replace_last(text: str) -> str:
    """The text with another last character."""
    return text[:-1] + ("0" if text[-1] != "0" else "1")
