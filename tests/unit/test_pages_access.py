"""Signing in to the pages, and what a sender sees there that may not do everything."""

from collections.abc import Callable
from contextlib import ExitStack

import pytest
from flask.testing import FlaskClient

from application.recent import MAX_AGE_SECONDS
from application.submissions import TaskRequest
from application.use_cases.create_api_key import ApiKeyRequest, CreatedApiKey
from domain.access import Scope
from domain.ids import TaskId, TypeName
from entrypoints.http.authentication.session_cookie import COOKIE
from tests.unit.http_service import Service, configured

SUBMIT, READ, MANAGE, ADMIN = Scope
PAGES = ["/", "/dashboard/tasks", "/dashboard/task/1", "/dashboard/batches", "/dashboard/batch/1", "/dashboard/types"]
MORE = ["/dashboard/type/add", "/dashboard/handlers", "/dashboard/failures", "/dashboard/compare?ids=1"]


@pytest.fixture(autouse=True)
def no_sleep(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answer wrong keys at once."""
    monkeypatch.setattr("entrypoints.http.authentication.slow_answers.sleep", lambda _: None)


@pytest.fixture
def service() -> Service:
    """A service with a task and a batch that anybody submitted before there was a key."""
    made = Service(has_own_app=True)
    made.publish("add")
    made.client.post("/task/new/add", json={"a": 1})
    made.client.post("/batches", json={"tasks": [{"type": "add"}], "open": True})
    return made


@pytest.fixture
def sign_in(service: Service) -> Callable[..., FlaskClient]:
    def sign_in(*scopes: Scope, own_only: bool = False) -> FlaskClient:
        """A browser that is signed in with a new key."""
        browser = service.client.application.test_client()
        answer = browser.post(
            "/dashboard/sign-in", data={"key": str(create(service, *scopes, own_only=own_only).token)}
        )
        assert answer.status_code == 303
        return browser

    return sign_in


def create(service: Service, *scopes: Scope, own_only: bool = False) -> CreatedApiKey:
    request = ApiKeyRequest(name="test", scopes=frozenset(scopes), own_only=own_only)
    created = service.container.create_api_key()(request)
    service.clock.move(MAX_AGE_SECONDS)
    return created


class TestSigningIn:
    def test_a_page_leads_to_the_sign_in_and_from_there_back(self, service: Service):
        key = create(service, READ)
        browser = service.client
        asked = browser.get("/dashboard/tasks?status=failed")
        assert asked.status_code == 303
        assert asked.location == "/dashboard/sign-in?back=%2Fdashboard%2Ftasks%3Fstatus%3Dfailed"
        form = browser.get(asked.location)
        assert form.status_code == 200
        assert 'name="back" value="/dashboard/tasks?status=failed"' in form.text
        assert 'href="/dashboard/tasks"' not in form.text
        done = browser.post(
            "/dashboard/sign-in", data={"key": f" {key.token}\n", "back": "/dashboard/tasks?status=failed"}
        )
        assert (done.status_code, done.location) == (303, "/dashboard/tasks?status=failed")
        assert browser.get(done.location).status_code == 200

    def test_the_cookie_is_hidden_from_scripts_and_other_sites_and_holds_no_key(self, service: Service):
        key = create(service, READ)
        answer = service.client.post("/dashboard/sign-in", data={"key": str(key.token)})
        (cookie,) = (each for each in answer.headers.getlist("Set-Cookie") if each.startswith(COOKIE))
        assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= {*cookie.split("; ")}
        assert "Secure" not in cookie
        assert key.token.secret not in cookie

    @pytest.mark.parametrize(
        ("settings", "headers"),
        [({"backend_url": "https://example.org"}, {}), ({}, {"X-Forwarded-Proto": "https"})],
    )
    def test_behind_tls_the_cookie_is_sent_over_tls_alone(self, settings: dict[str, str], headers: dict[str, str]):
        service = Service(configured(**settings).given, has_own_app=True)
        key = create(service, READ)
        answer = service.client.post("/dashboard/sign-in", data={"key": str(key.token)}, headers=headers)
        assert any("Secure" in each for each in answer.headers.getlist("Set-Cookie") if each.startswith(COOKIE))

    def test_a_wrong_key_is_refused_in_the_form(self, service: Service):
        create(service, READ)
        answer = service.client.post("/dashboard/sign-in", data={"key": "ft_wrong", "back": "/dashboard/types"})
        assert answer.status_code == 401
        assert "unknown, has expired or was revoked" in answer.text
        assert "ft_wrong" not in answer.text
        assert 'value="/dashboard/types"' in answer.text

    def test_a_foreign_address_is_not_gone_back_to(self, service: Service):
        key = create(service, READ)
        form = {"key": str(key.token), "back": "https://evil.example.org/"}
        assert service.client.post("/dashboard/sign-in", data=form).location == "/"

    def test_a_browser_signs_out(self, sign_in: Callable[..., FlaskClient]):
        browser = sign_in(READ)
        assert "Sign out" in browser.get("/dashboard/tasks").text
        assert browser.post("/dashboard/sign-out").location == "/dashboard/sign-in"
        assert browser.get("/dashboard/tasks").status_code == 303

    def test_a_form_of_a_browser_that_is_not_signed_in_changes_nothing(self, service: Service):
        create(service, READ)
        answer = service.client.post("/dashboard/task/1/cancel", data={})
        assert answer.status_code == 401
        assert 'href="/dashboard/sign-in"' in answer.text

    def test_a_session_serves_the_api_too(self, sign_in: Callable[..., FlaskClient]):
        browser = sign_in(READ)
        assert browser.get("/task/1").status_code == 200
        assert browser.post("/task/1/cancel").status_code == 403

    def test_an_open_service_asks_nobody_to_sign_in(self):
        browser = Service().client
        assert browser.get("/").status_code == 200
        assert "open to all" in browser.get("/dashboard/sign-in").text
        assert "Sign out" not in browser.get("/").text


class TestRights:
    def test_a_key_that_reads_sees_every_page_without_buttons(self, sign_in: Callable[..., FlaskClient]):
        browser = sign_in(READ)
        for path in PAGES + MORE:
            page = browser.get(path)
            assert page.status_code == 200, path
            assert 'method="post"' not in page.text.replace('action="/dashboard/sign-out"', "").replace(
                '<form class="sign-out" method="post"', ""
            ), path
            assert "/dashboard/submit" not in page.text, path
            assert "/tasks/confirm?" not in page.text, path

    def test_a_key_that_manages_sees_the_buttons(self, sign_in: Callable[..., FlaskClient]):
        browser = sign_in(READ, MANAGE, SUBMIT)
        assert 'action="/dashboard/task/1/cancel"' in browser.get("/dashboard/task/1").text
        assert 'action="/dashboard/type/add/pause"' in browser.get("/dashboard/type/add").text
        assert "/dashboard/submit" in browser.get("/").text

    def test_a_button_that_is_not_shown_does_nothing(self, sign_in: Callable[..., FlaskClient]):
        browser = sign_in(READ)
        for path in ("task/1/cancel", "task/1/again", "submit/add", "type/add/pause", "tasks/change", "batch/1/close"):
            assert browser.post(f"/dashboard/{path}", data={}).status_code == 403, path

    def test_a_key_that_only_submits_begins_with_the_form(self, sign_in: Callable[..., FlaskClient]):
        browser = sign_in(SUBMIT)
        page = browser.get("/dashboard/submit/add")
        assert page.status_code == 200
        assert 'class="brand" href="/dashboard/submit"' in page.text
        assert browser.get("/").status_code == 403

    def test_who_sees_only_its_own_tasks_sees_no_others_on_any_page(
        self, service: Service, sign_in: Callable[..., FlaskClient]
    ):
        browser = sign_in(READ, SUBMIT, MANAGE, own_only=True)
        own = browser.post("/task/new/add", json={"a": 2}).get_json()["id"]
        listed = browser.get("/dashboard/tasks").text
        assert f'"/dashboard/task/{own}"' in listed
        assert '"/dashboard/task/1"' not in listed
        assert browser.get(f"/dashboard/task/{own}").status_code == 200
        for path in ("/dashboard/task/1", "/dashboard/task/1/args", "/dashboard/batch/1", "/dashboard/task/1/delete"):
            assert browser.get(path).status_code == 404, path
        for path in ("/", "/dashboard/failures", "/dashboard/handlers", "/dashboard/types", "/dashboard/type/add"):
            assert browser.get(path).status_code == 403, path
        assert "There is no task 1." in browser.get(f"/dashboard/compare?ids=1,{own}").text
        assert browser.get("/dashboard/submit/add?from=1").status_code == 404
        assert '"/dashboard/batch/1"' not in browser.get("/dashboard/batches").text
        assert browser.post("/dashboard/task/1/again", data={}).status_code == 404

    def test_who_sees_only_its_own_tasks_compares_them_with_no_others(
        self, service: Service, sign_in: Callable[..., FlaskClient]
    ):
        browser = sign_in(READ, SUBMIT, own_only=True)
        own, other = (browser.post("/task/new/add", json={"a": 2}).get_json()["id"] for _ in range(2))
        page = browser.get(f"/dashboard/compare?ids={own}").text
        assert f'value="{other}"' in page
        assert 'value="1"' not in page

    def test_the_arguments_of_a_foreign_origin_are_not_shown(
        self, service: Service, sign_in: Callable[..., FlaskClient]
    ):
        browser = sign_in(READ, SUBMIT, own_only=True)
        (key,) = service.store.state.api_keys.values()
        request = TaskRequest(type=TypeName("add"), args={"a": 7}, by=key.access)
        own = service.container.submit_task()(request, TaskId(1)).view.task.id
        page = browser.get(f"/dashboard/task/{own}").text
        assert "Run again of" in page
        assert "<del>" not in page

    def test_pages_of_different_rights_are_kept_up_to_date_apart(
        self, service: Service, sign_in: Callable[..., FlaskClient]
    ):
        asked = {"Accept": "text/event-stream"}
        with ExitStack() as open_pages:
            streamed = []
            for browser in (sign_in(READ, MANAGE), sign_in(READ)):
                answer = browser.get("/dashboard/task/1", headers=asked, buffered=False)
                chunks = open_pages.enter_context(answer).iter_encoded()
                next(chunks)
                streamed.append(next(chunks))
        assert [b"/dashboard/task/1/cancel" in each for each in streamed] == [True, False]
