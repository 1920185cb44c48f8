"""What all pages have in common: addresses, assets, safety, errors, notices and live regions."""

import gzip
import json
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from hashlib import sha256
from itertools import islice
from math import inf
from pathlib import Path
from threading import Barrier, Thread

import pytest
from flask.testing import FlaskClient

from application.errors import StatementRefused, StorageUnavailable
from application.open_streams import OpenStreams
from entrypoints.http.pages import assets
from entrypoints.http.pages.addresses import Addresses
from entrypoints.http.pages.formats import duration, number
from entrypoints.http.pages.live import HEARTBEAT, RECONNECT, LiveRegions, Region
from entrypoints.settings import Settings
from tests.unit.http_service import Service, configured

PATHS = ["/", "/dashboard/tasks", "/dashboard/types", "/dashboard/handlers", "/dashboard/submit"]
VENDOR = assets.FOLDER / "vendor"


@pytest.fixture
def service() -> Service:
    return Service()


def post(client: FlaskClient, path: str, **fields: str):
    return client.post(path, data=fields)


class TestSafety:
    @pytest.mark.parametrize("path", [*PATHS, "/dashboard/task/1", "/dashboard/nothing"])
    def test_no_page_lets_a_browser_load_or_run_what_is_not_its_own(self, service: Service, path: str) -> None:
        headers = service.client.get(path).headers
        policy = headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; ")
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["X-Content-Type-Options"] == "nosniff"

    @pytest.mark.parametrize("path", PATHS)
    def test_no_page_has_a_script_or_a_style_inside(self, service: Service, path: str) -> None:
        html = service.client.get(path).text
        assert re.findall(r"<script(?![^>]* src=)(?![^>]*application/json)", html) == []
        assert re.findall(r"<style|\sstyle=|\son\w+=|javascript:", html) == []

    def test_a_page_of_another_origin_does_nothing(self, service: Service) -> None:
        task = service.submit({"required_arg": 1})
        path = f"/dashboard/task/{task['id']}/cancel"
        foreign = service.client.post(path, headers={"Origin": "https://foreign.example"})
        assert foreign.status_code == 403
        assert service.view()["status"] == "waiting"

    @pytest.mark.parametrize(
        "back", ["//foreign.example", "https://foreign.example", "/\\foreign.example", "/\r\nX: y", "", "tasks"]
    )
    def test_an_action_leads_to_no_foreign_page(self, service: Service, back: str) -> None:
        service.submit({"required_arg": 1})
        answer = post(service.client, "/dashboard/task/1/cancel", back=back)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/")


class TestAddresses:
    def test_an_address_begins_with_the_path_of_the_public_address(self) -> None:
        address = Addresses(Settings(backend_url="https://example.org/a/b"))
        assert address() == "/a/b/"
        assert address("task", 7, query={"x": "ä&b", "none": None}) == "/a/b/dashboard/task/7?x=%C3%A4%26b"
        assert address("types", "a/b") == "/a/b/dashboard/types/a%2Fb"

    @pytest.mark.parametrize("path", PATHS)
    def test_every_link_of_a_page_begins_with_the_prefix(self, path: str) -> None:
        html = configured(backend_url="https://example.org/a/b").client.get(path).text
        links = re.findall(r'(?:href|src|action|connect)="([^"#]*)"', html)
        assert links
        assert [link for link in links if not link.startswith("/a/b/")] == []

    @pytest.mark.parametrize("path", ["/dashboard", "/dashboard/"])
    def test_the_path_of_the_pages_alone_leads_to_the_first_one(self, path: str) -> None:
        answer = configured(backend_url="https://example.org/a/b").client.get(path)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/a/b/")


class TestErrors:
    def test_an_unknown_page_is_a_page(self, service: Service) -> None:
        answer = service.client.get("/dashboard/nothing")
        assert (answer.status_code, answer.mimetype) == (404, "text/html")

    def test_an_error_of_the_service_is_a_page(self, service: Service) -> None:
        service.client.get("/")
        service.away = True
        answer = service.client.get("/dashboard/tasks")
        assert (answer.status_code, answer.mimetype, answer.headers["Retry-After"]) == (503, "text/html", "1")

    def test_an_action_that_is_not_possible_says_so(self, service: Service) -> None:
        service.submit({"required_arg": 1})
        service.succeed("1")
        answer = post(service.client, "/dashboard/task/1/cancel", back="/dashboard/task/1")
        assert answer.status_code == 409
        assert "is done" in answer.text

    def test_a_body_that_is_no_form_is_refused(self, service: Service) -> None:
        service.submit({"required_arg": 1})
        answer = service.client.post("/dashboard/task/1/cancel", json={})
        assert (answer.status_code, answer.mimetype) == (415, "text/html")

    def test_a_form_in_another_encoding_is_refused(self, service: Service) -> None:
        service.submit({"required_arg": 1})
        form = "application/x-www-form-urlencoded"
        answer = service.client.post("/dashboard/task/1/cancel", data=b"back=%ff", content_type=form)
        assert answer.status_code == 400


class TestNotices:
    def test_the_page_after_an_action_says_once_that_it_was_done(self, service: Service) -> None:
        service.submit({"required_arg": 1})
        answer = post(service.client, "/dashboard/task/1/cancel", back="/dashboard/tasks?type=default")
        assert (answer.status_code, answer.headers["Location"]) == (303, "/dashboard/tasks?type=default")
        assert "Task 1 is cancelled." in service.client.get("/dashboard/tasks").text
        assert "Task 1 is cancelled." not in service.client.get("/dashboard/tasks").text

    def test_a_forged_notice_is_text(self, service: Service) -> None:
        service.client.set_cookie("flask_tasks_notice", "%3Cscript%3Ealert(1)%3C/script%3E")
        html = service.client.get("/").text
        assert "&lt;script&gt;alert(1)" in html
        assert "<script>alert" not in html


class TestAssets:
    def test_vendored_files_are_those_that_were_published(self) -> None:
        vendored = json.loads((VENDOR / "vendored.json").read_text())
        listed = {each["file"] for each in vendored} | {each["licence_file"] for each in vendored}
        assert listed | {"vendored.json"} == {path.name for path in VENDOR.iterdir()}
        for each in vendored:
            assert sha256((VENDOR / each["file"]).read_bytes()).hexdigest() == each["sha256"], each["file"]

    @pytest.mark.parametrize("name", assets.BUNDLES)
    def test_an_asset_is_compressed_and_kept_by_its_version(self, service: Service, name: str) -> None:
        version = assets.Assets().version(name)
        kept = service.client.get(f"/dashboard/static/{name}?v={version}", headers={"Accept-Encoding": "gzip"})
        plain = service.client.get(f"/dashboard/static/{name}")
        assert gzip.decompress(kept.data) == plain.data
        assert "immutable" in kept.headers["Cache-Control"]
        assert plain.headers["Cache-Control"] == "no-cache"

    def test_every_file_of_ours_is_in_a_bundle(self) -> None:
        bundled = {Path(file).name for _, files in assets.BUNDLES.values() for file in files}
        assert {path.name for path in (assets.FOLDER / "static").iterdir()} <= bundled

    @pytest.mark.parametrize("name", ["nothing.js", "../blueprint.py", "%2e%2e%2fblueprint.py"])
    def test_no_other_file_is_sent(self, service: Service, name: str) -> None:
        assert service.client.get(f"/dashboard/static/{name}").status_code == 404


class TestPages:
    @pytest.mark.parametrize("path", PATHS)
    def test_a_page_is_compressed_and_kept_by_nobody(self, service: Service, path: str) -> None:
        plain = service.client.get(path)
        compressed = service.client.get(path, headers={"Accept-Encoding": "gzip"})
        assert gzip.decompress(compressed.data).decode() == plain.text
        assert plain.headers["Cache-Control"] == "no-store"

    def test_a_page_changes_nothing_where_it_is_only_asked_for_its_head(self, service: Service) -> None:
        assert service.client.head("/").status_code == 200

    def test_a_client_that_accepts_anything_is_sent_the_page(self, service: Service) -> None:
        assert service.client.get("/", headers={"Accept": "*/*"}).mimetype == "text/html"

    def test_a_client_that_accepts_events_is_sent_the_live_part_of_the_page(self, service: Service) -> None:
        service.submit({"required_arg": 1})
        answer = service.client.get("/dashboard/tasks", headers={"Accept": "text/event-stream"}, buffered=False)
        events = answer.iter_encoded()
        assert next(events) == RECONNECT
        first = next(events).decode()
        assert first.startswith("data: ")
        assert 'id="task-1"' in first
        assert "<h1>" not in first
        answer.close()


class TestLiveRegions:
    def test_an_event_is_sent_for_each_change(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("entrypoints.http.pages.live.MIN_REST_SECONDS", 0.0)
        monkeypatch.setattr("entrypoints.http.pages.live.MAX_SHARE", inf)
        monkeypatch.setattr("entrypoints.http.pages.live.MAX_TIME_SHARE", inf)
        htmls = iter(["one", "two", "two", "three\nlines\r\nin it"])
        regions = LiveRegions(Waitless(4))
        sent = [*regions.stream("/", lambda: next(htmls))]
        assert sent == [RECONNECT, b"data: one\n\n", b"data: two\n\n", b"data: three\ndata: lines\ndata: in it\n\n"]

    def test_streams_of_one_address_share_what_is_rendered(self) -> None:
        rendered: list[int] = []
        region = Region()

        def render() -> str:
            rendered.append(1)
            return "html"

        threads = [Thread(target=region.current, args=(render,)) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(rendered) == 1

    @pytest.mark.parametrize("error", [StorageUnavailable, StatementRefused])
    def test_a_region_keeps_its_last_state_while_the_storage_is_away(self, error: type[Exception]) -> None:
        region = Region()
        assert region.current(lambda: "html") == "html"
        region.due_at = 0

        def fail() -> str:
            raise error

        assert region.current(fail) == "html"

    @pytest.mark.parametrize(("seconds", "processor_seconds", "rest"), [(0, 0, 0.5), (0.2, 0, 2), (0.2, 0.01, 3)])
    def test_a_region_that_takes_long_is_rendered_seldom(
        self, monkeypatch: pytest.MonkeyPatch, seconds: float, processor_seconds: float, rest: float
    ) -> None:
        passed = False

        def render() -> str:
            nonlocal passed
            passed = True
            return "html"

        monkeypatch.setattr("entrypoints.http.pages.live.time.monotonic", lambda: 100 + seconds * passed)
        monkeypatch.setattr("entrypoints.http.pages.live.time.thread_time", lambda: 5 + processor_seconds * passed)
        region = Region()
        region.current(render)
        assert region.due_at == pytest.approx(100 + seconds + rest)

    def test_few_regions_are_rendered_at_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("entrypoints.http.pages.live.MAX_RENDERINGS", 1)
        regions, ended = LiveRegions(OpenStreams()), list[str]()

        def look(address: str, render: Callable[[], str]) -> None:
            with closing(regions.stream(address, render)) as stream:
                [*islice(stream, 2)]

        def quick() -> str:
            ended.append("quick")
            return "html"

        def slow() -> str:
            other.start()
            other.join(0.1)  # as long as it needs, if it has not to wait
            ended.append("slow")
            return "html"

        other = Thread(target=look, args=("/quick", quick))
        look("/slow", slow)
        other.join()
        assert ended == ["slow", "quick"]

    def test_no_region_is_shared_with_another_host(self, service: Service) -> None:
        both_are_open = Barrier(2, timeout=10)

        def region(host: str) -> bytes:
            answer = service.client.get(
                "/", base_url=f"http://{host}", headers={"Accept": "text/event-stream"}, buffered=False
            )
            with closing(answer):
                shown = b"".join(islice(answer.iter_encoded(), 2))
                both_are_open.wait()
                return shown

        with ThreadPoolExecutor() as pool:
            regions = pool.map(region, ["localhost:7", "localhost:8"])
        assert [re.findall(rb"http://([^/]*)/task/new", each) for each in regions] == [
            [b"localhost:7"],
            [b"localhost:8"],
        ]

    def test_an_unchanged_region_sends_a_heartbeat_now_and_then(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("entrypoints.http.pages.live.HEARTBEAT_SECONDS", 0.0)
        assert [*LiveRegions(Waitless(2)).stream("/", lambda: "html")][2:] == [HEARTBEAT]

    def test_a_stream_beyond_the_limit_ends_at_once(self) -> None:
        regions = LiveRegions(OpenStreams(max_streams=0))
        assert [*regions.stream("/", lambda: "html")] == [RECONNECT]

    def test_streams_end_when_the_process_stops(self) -> None:
        open_pages = OpenStreams()
        stream = LiveRegions(open_pages).stream("/", lambda: "html")
        assert [next(stream), next(stream)] == [RECONNECT, b"data: html\n\n"]
        open_pages.close()
        assert [*stream] == []

    def test_a_stream_that_ends_gives_its_place_back(self) -> None:
        open_pages = OpenStreams(max_streams=1)
        regions = LiveRegions(open_pages)
        with closing(regions.stream("/", lambda: "html")) as stream:
            next(stream)
        with open_pages.admit() as is_admitted:
            assert is_admitted


class Waitless(OpenStreams):
    """Open pages that wait for nothing, and end after a number of looks."""

    def __init__(self, looks: int) -> None:
        super().__init__()
        self._looks = looks

    def wait(self, seconds: float) -> bool:
        self._looks -= 1
        return self._looks > 0


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "–"),
        (0.0000004, "0.0004 ms"),
        (0.34, "340 ms"),
        (0.9999, "1 s"),
        (1.25, "1.25 s"),
        (65, "1 min 5 s"),
        (7500, "2 h 5 min"),
        (90000, "1 d 1 h"),
        (3600, "1 h"),
    ],
)
def test_a_duration_has_few_digits(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


def test_a_number_has_its_thousands_apart() -> None:
    assert number(1234567) == "1\N{NARROW NO-BREAK SPACE}234\N{NARROW NO-BREAK SPACE}567"
