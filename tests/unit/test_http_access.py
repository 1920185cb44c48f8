"""Access from browsers: pages of other origins change nothing, and other names of this machine are not served."""

from functools import cache
from typing import Any

import pytest

from entrypoints.http.app import ROUTES
from tests.unit.http_service import Service, configured
from tests.unit.test_http_errors import check_form

EVIL, PAGE, BACKEND = "https://evil.example.org", "https://app.example.org", "https://api.example.org/tasks"
CHANGES = [
    ("POST", "/task/new"),
    ("POST", "/task/new/add"),
    ("POST", "/tasks"),
    ("POST", "/tasks/cancel"),
    ("POST", "/tasks/retry"),
    ("POST", "/tasks/delete"),
    ("POST", "/task/1/cancel"),
    ("POST", "/task/1/retry"),
    ("DELETE", "/task/1"),
    ("PUT", "/types/default/limits"),
    ("DELETE", "/types/default/limits"),
    ("PUT", "/task/1"),
    ("PATCH", "/nothing"),
]
PUBLIC = {"/ping", "/health/live", "/health/ready"}
READS = ["/task/1", "/tasks", "/types", "/handlers", "/stats", "/ping", "/docs", "/openapi.json"]


@cache
def unchanged(**settings: Any) -> Service:
    """The service with these settings and one task, which is shared by the tests of requests that change nothing."""
    service = configured(**settings)
    service.submit({})
    return service


def send(service: Service, method: str, path: str, **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return service.client.open(path, method=method, json={} if "new" in path else None, headers=named)


class TestOrigin:
    @pytest.mark.parametrize(("method", "path"), CHANGES)
    @pytest.mark.parametrize(
        "headers",
        [
            {"Origin": EVIL},
            {"Origin": "null"},
            {"Origin": "", "Host": ""},
            {"Origin": "http://"},
            {"Origin": "http://["},
            {"Origin": "http://localhost:3000"},
            {"Origin": "http://localhost.evil.example.org"},
            {"Origin": "chrome-extension://localhost"},
            {"Origin": "http://localhost, http://localhost"},
            {"Sec_Fetch_Site": "cross-site"},
            {"Sec_Fetch_Site": "same-site"},
            {"Sec_Fetch_Site": "none, cross-site"},
            {"Origin": EVIL, "Sec_Fetch_Site": "cross-site"},
            {"Origin": "http://localhost", "Sec_Fetch_Site": "cross-site"},
            {"Origin": "http://localhost:3000", "Sec_Fetch_Site": "same-site"},
        ],
    )
    def test_a_change_by_a_page_of_another_origin_is_403(self, method: str, path: str, headers: dict[str, str]) -> None:
        service = unchanged()
        error = check_form(send(service, method, path, **headers), 403)
        assert "FRONTEND_URL" in error["message"]
        assert (service.view()["status"], len(service.store.state.rows)) == ("waiting", 1)

    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"Origin": "http://localhost"},
            {"Origin": "http://LOCALHOST/"},
            {"Origin": "https://localhost"},
            {"Origin": "http://localhost:5000", "Host": "localhost:5000"},
            {"Origin": "http://localhost", "Host": "localhost:80"},
            {"Origin": "http://[::1]:5000", "Host": "[::1]:5000"},
            {"Origin": "http://localhost", "Sec_Fetch_Site": "same-origin"},
            {"Sec_Fetch_Site": "same-origin"},
            {"Sec_Fetch_Site": "none"},
            {"Referer": EVIL},
        ],
    )
    def test_a_change_by_a_page_of_the_service_or_by_another_client_is_made(self, headers: dict[str, str]) -> None:
        assert send(Service(), "POST", "/task/new", **headers).status_code == 201

    @pytest.mark.parametrize("headers", [{}, {"Sec_Fetch_Site": "cross-site"}, {"Sec_Fetch_Site": "same-site"}])
    def test_a_change_by_a_page_of_an_allowed_origin_is_made(self, headers: dict[str, str]) -> None:
        service = configured(frontend_url=(PAGE,), backend_url=BACKEND)
        for origin in (PAGE, PAGE.upper(), "https://api.example.org"):
            answer = send(service, "POST", "/task/new", Origin=origin, **headers)
            assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (201, origin)
        for origin in (EVIL, "https://app.example.org:8443"):
            check_form(send(service, "POST", "/task/new", Origin=origin, **headers), 403)

    def test_a_star_allows_changes_by_every_page(self) -> None:
        service = configured(frontend_url=("*",))
        for headers in ({"Origin": EVIL}, {"Origin": "null", "Sec_Fetch_Site": "cross-site"}):
            assert send(service, "POST", "/task/new", **headers).status_code == 201

    def test_a_public_address_goes_before_the_host_of_the_request(self) -> None:
        """A name that is pointed at the service sends itself as Host, and no Sec-Fetch-Site."""
        service = configured(backend_url=BACKEND)
        check_form(send(service, "POST", "/task/new", Origin=EVIL, Host="evil.example.org"), 403)

    @pytest.mark.parametrize("path", READS)
    def test_a_page_of_another_origin_may_send_requests_that_only_read(self, path: str) -> None:
        with unchanged().client.get(path, headers={"Origin": EVIL, "Sec-Fetch-Site": "cross-site"}) as answer:
            assert answer.status_code == 200
            assert "Access-Control-Allow-Origin" not in answer.headers


LOOPBACK = [
    *("localhost", "LocalHost", "localhost.", "localhost:5000", "localhost:", "a.localhost:80", "127.0.0.1"),
    *("127.0.0.1:5000", "127.8.9.1", "[::1]", "[::1]:5000", "[0:0:0:0:0:0:0:1]:1", "[::ffff:127.0.0.1]:5000"),
]
FOREIGN = [
    *("evil.example.org", "evil.example.org:5000", "localhost.evil.example.org", "evillocalhost", "10.0.0.1"),
    *("192.168.0.9:5000", "0.0.0.0", "[::]", "[fe80::1]:5000", "[::ffff:10.0.0.1]", "127.0.0.1.evil.example.org"),
    *("localhost@evil.example.org", "localhost:80:90", "localhost, evil.example.org", "localhost evil", "::1x"),
    *("[", "[;", ".", ":5000", "é", "127.0.0.1:x"),
]


class TestHost:
    @pytest.mark.parametrize("host", LOOPBACK)
    @pytest.mark.parametrize("listens_on", ["127.0.0.1", "localhost", "::1"])
    def test_a_name_of_loopback_is_served_on_loopback(self, host: str, listens_on: str) -> None:
        assert unchanged(host=listens_on).client.get("/ping", headers={"Host": host}).status_code == 200

    @pytest.mark.parametrize("host", FOREIGN)
    def test_another_name_is_421_on_loopback(self, host: str) -> None:
        service = unchanged()
        for method, path in [*CHANGES, *(("GET", path) for path in READS), ("GET", "/nothing"), ("OPTIONS", "/tasks")]:
            error = check_form(send(service, method, path, Host=host), 421)
            assert "BACKEND_URL" in error["message"]

    def test_a_request_without_a_host_is_served_on_loopback(self) -> None:
        client = unchanged().client
        for none in ({"HTTP_HOST": ""}, {"HTTP_HOST": None}):
            assert client.get("/ping", environ_overrides=none).status_code == 200

    @pytest.mark.parametrize("host", [*LOOPBACK, *FOREIGN])
    @pytest.mark.parametrize(
        "settings", [{"host": "0.0.0.0"}, {"host": "::"}, {"host": "10.0.0.1"}, {"backend_url": BACKEND}]
    )
    def test_every_name_is_served_beyond_loopback_and_behind_a_proxy(self, host: str, settings: Any) -> None:
        """Where a container listens, the port is published under names that the service does not know."""
        assert unchanged(**settings).client.get("/ping", headers={"Host": host}).status_code == 200

    def test_the_name_of_the_machine_is_served_where_it_is_a_name_of_loopback(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        found = [(2, 1, 6, "", ("127.0.1.1", 0))]
        monkeypatch.setattr("entrypoints.listening.socket.getaddrinfo", lambda *_, **__: found)
        service = configured(host="My-Machine")
        assert service.client.get("/ping", headers={"Host": "my-machine:5000"}).status_code == 200
        check_form(service.client.get("/ping", headers={"Host": "other-machine"}), 421)


def test_the_document_describes_all_refusals_where_they_occur() -> None:
    assert ROUTES
    for path, item in Service().client.get("/openapi.json").get_json()["paths"].items():
        for method, operation in item.items():
            if method != "parameters":
                refusals = {"401", "403", "421", "429"} if path not in PUBLIC else {"421"}
                assert operation["responses"].keys() & {"401", "403", "421", "429"} == refusals, path
