"""Compression: of answers where the client accepts it, and of bodies of requests."""

import gzip
import json
import tracemalloc
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
import zstandard
from werkzeug.test import TestResponse, run_wsgi_app

from entrypoints.http.responses.compression import MIN_BYTES, Compression, best_encoding
from entrypoints.http.routes import json_lines
from tests.unit.http_service import Service, configured
from tests.unit.test_http_errors import check_form

COMPRESS: Mapping[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "zstd": lambda data: zstandard.ZstdCompressor().compress(data),
}
DECOMPRESS: Mapping[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.decompress,
    "zstd": lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data),
}
LONG = {"text": "abcdefgh" * 500}
MEBIBYTE = 1024 * 1024
both = pytest.mark.parametrize("encoding", COMPRESS)


@pytest.fixture
def service() -> Iterator[Service]:
    service = Service()
    yield service
    service.change_feed.close()


def get(service: Service, path: str, accept: str, **headers: str) -> TestResponse:
    return service.client.get(path, headers={"Accept-Encoding": accept, **headers})


def post(service: Service, data: bytes, encoding: str, path: str = "/task/new") -> TestResponse:
    return service.client.post(path, data=data, content_type="application/json", headers={"Content-Encoding": encoding})


class TestAnswers:
    @both
    def test_a_long_answer_is_compressed_where_the_client_accepts_it(self, service: Service, encoding: str) -> None:
        service.submit(LONG)
        plain, answer = get(service, "/task/1", "identity"), get(service, "/task/1", encoding)
        assert answer.headers["Content-Encoding"] == encoding
        assert DECOMPRESS[encoding](answer.data) == plain.data
        assert int(answer.headers["Content-Length"]) == len(answer.data) < len(plain.data) / 10
        assert plain.headers["Vary"] == answer.headers["Vary"] == "Accept-Encoding"
        assert (answer.content_type, answer.headers["Cache-Control"]) == ("application/json", "no-store")
        assert "Content-Encoding" not in plain.headers

    @pytest.mark.parametrize(
        ("accepted", "encoding"),
        [
            ("", None),
            ("gzip", "gzip"),
            ("GZIP", "gzip"),
            ("gzip, deflate, br, zstd", "zstd"),
            ("gzip, zstd;q=0.9", "gzip"),
            ("zstd;q=0, gzip;q=0.1", "gzip"),
            ("gzip;q=0", None),
            ("identity", None),
            ("identity;q=1, gzip;q=0.5", None),
            ("identity;q=0.5, gzip", "gzip"),
            ("*", "zstd"),
            ("*;q=0", None),
            ("*;q=0.5, zstd;q=0", "gzip"),
            ("br, deflate", None),
            ("gzip;q=high", None),
            ("gzip," * 100, None),
            ("\xff;;,=", None),
        ],
    )
    def test_the_encoding_is_chosen_by_q_values(self, accepted: str, encoding: str | None) -> None:
        assert best_encoding(accepted) == encoding

    def test_a_short_answer_is_sent_as_it_is(self, service: Service) -> None:
        service.submit({})
        answer = get(service, "/task/1", "gzip, zstd")
        assert not {"Content-Encoding", "Vary"} & {*answer.headers.keys()}
        assert answer.get_json()["id"] == 1

    def test_an_event_stream_is_never_compressed(self, service: Service) -> None:
        service.submit(LONG)
        service.succeed("1")
        for path in ("/task/1/events", "/events", "/events?include=task"):
            answer = get(service, path, "gzip")
            assert "Content-Encoding" not in answer.headers
            assert answer.data.startswith(b"retry: 1000\n\n")

    @pytest.mark.parametrize("path", ["/", "/openapi.json", "/docs/swagger-ui.css", "/dashboard/static/pages.js"])
    @both
    def test_pages_and_their_files_are_compressed(self, service: Service, path: str, encoding: str) -> None:
        plain, answer = (get(service, path, each) for each in ("identity", encoding))
        assert answer.headers["Content-Encoding"] == encoding
        assert "Accept-Encoding" in answer.vary
        found = DECOMPRESS[encoding](answer.data)
        assert len(found) == len(plain.data) or path == "/"
        plain.close()
        answer.close()

    def test_a_table_is_compressed_and_a_picture_is_not(self, service: Service) -> None:
        service.submit({})
        service.succeed(json.dumps([{"x": n} for n in range(1000)]))
        answer = get(service, "/dashboard/task/1/result.csv", "gzip")
        assert gzip.decompress(answer.data).startswith(b"x\r\n0\r\n1")
        icon = get(service, "/favicon.ico", "gzip")
        assert (icon.content_type, "Content-Encoding" in icon.headers) == ("image/png", False)
        icon.close()

    @both
    def test_json_lines_are_compressed_as_they_flow(
        self, service: Service, encoding: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(json_lines, "PAGE_TASKS", 1)
        for n in range(3):
            service.submit({"n": n})
        answer = get(service, "/tasks", encoding, Accept="application/x-ndjson")
        assert answer.headers["Content-Encoding"] == encoding
        lines = DECOMPRESS[encoding](answer.data).splitlines()
        assert [json.loads(line).get("id") for line in lines][:3] == [3, 2, 1]
        assert "Accept-Encoding" in answer.vary

    def test_a_long_error_is_compressed(self, service: Service) -> None:
        answer = get(service, f"/tasks?{'&'.join(f'wrong{n}=1' for n in range(100))}", "gzip")
        assert (answer.status_code, answer.headers["Content-Encoding"]) == (422, "gzip")
        assert json.loads(gzip.decompress(answer.data))["code"] == 422

    def test_the_head_of_a_compressed_answer_has_no_body_and_no_length(self, service: Service) -> None:
        service.submit(LONG)
        answer = service.client.head("/task/1/result", headers={"Accept-Encoding": "gzip"})
        assert (answer.status_code, answer.data) == (202, b"")
        service.succeed(json.dumps(LONG))
        answer = service.client.head("/task/1/result", headers={"Accept-Encoding": "gzip"})
        assert (answer.headers["Content-Encoding"], answer.data) == ("gzip", b"")
        assert "Content-Length" not in answer.headers

    @both
    def test_the_tag_of_a_compressed_answer_is_weak_and_still_confirms_it(
        self, service: Service, encoding: str
    ) -> None:
        service.submit({})
        service.succeed(json.dumps(LONG))
        plain, answer = (get(service, "/task/1/result", each) for each in ("identity", encoding))
        assert answer.headers["ETag"] == f"W/{plain.headers['ETag']}"
        for tag in (plain.headers["ETag"], answer.headers["ETag"]):
            again = get(service, "/task/1/result", encoding, **{"If-None-Match": tag})
            assert (again.status_code, again.data, again.headers["Vary"]) == (304, b"", "Accept-Encoding")

    def test_a_known_origin_is_kept_in_vary(self) -> None:
        service = configured(frontend_url=("https://example.org",))
        service.submit(LONG)
        answer = get(service, "/task/1", "gzip", Origin="https://example.org")
        assert answer.headers["Vary"] == "Origin, Accept-Encoding"


class TestStreams:
    """Bodies of unknown length."""

    @staticmethod
    def app(pieces: Iterator[bytes], **headers: str) -> Compression:
        def inner(environ: Any, start_response: Any) -> Iterator[bytes]:
            given = {"Content-Type": "application/x-ndjson", **headers}
            start_response("200 OK", [(name.replace("_", "-"), value) for name, value in given.items()])
            return pieces

        return Compression(inner)

    @staticmethod
    def environ(accept: str) -> dict[str, Any]:
        return {"REQUEST_METHOD": "GET", "HTTP_ACCEPT_ENCODING": accept}

    @both
    def test_each_piece_can_be_read_before_the_next_is_made(self, encoding: str) -> None:
        made: list[bytes] = []

        def pieces() -> Iterator[bytes]:
            for n in range(3):
                made.append(b'{"n":%d}\n' % n)
                yield made[-1]

        body, status, headers = run_wsgi_app(self.app(pieces()), self.environ(encoding))
        assert (status, headers["Content-Encoding"], headers.get("Content-Length")) == ("200 OK", encoding, None)
        decoder: Any = zlib.decompressobj(31) if encoding == "gzip" else zstandard.ZstdDecompressor().decompressobj()
        for n, piece in enumerate(body):
            found = decoder.decompress(piece)
            assert found == (made[n] if n < 3 else b"")
            assert len(made) == min(n + 1, 3)
        assert decoder.eof

    def test_a_stream_that_is_closed_closes_its_source(self) -> None:
        closed = []

        def pieces() -> Iterator[bytes]:
            try:
                yield b"1"
                yield b"2"
            finally:
                closed.append(True)

        source = pieces()
        body: Any = self.app(source)(self.environ("gzip"), lambda *_: None)
        next(iter(body))
        body.close()
        assert closed

    @pytest.mark.parametrize(
        "headers",
        [
            {"Content_Type": "text/event-stream; charset=utf-8"},
            {"Content_Type": "image/png"},
            {"Content_Encoding": "br"},
            {"Content_Range": "bytes 0-99/2000"},
            {"Content_Length": str(MIN_BYTES - 1)},
        ],
    )
    def test_what_is_no_long_text_is_sent_as_it_is(self, headers: dict[str, str]) -> None:
        given = {"Content_Type": "application/json"} | headers

        def inner(environ: Any, start_response: Any) -> Iterator[bytes]:
            start_response("200 OK", [(name.replace("_", "-"), value) for name, value in given.items()])
            return iter([b"x" * 2000])

        body, _, found = run_wsgi_app(Compression(inner), self.environ("gzip"))
        assert b"".join(body) == b"x" * 2000
        assert found.get("Content-Encoding") == headers.get("Content_Encoding")


class TestBodies:
    @both
    @pytest.mark.parametrize("name", [str.lower, str.upper])
    def test_a_compressed_body_is_read(self, service: Service, encoding: str, name: Callable[[str], str]) -> None:
        data = json.dumps(LONG).encode()
        answer = post(service, COMPRESS[encoding](data), name(encoding))
        assert (answer.status_code, answer.get_json()["args"]) == (201, LONG)

    @both
    @pytest.mark.parametrize(("path", "body"), [("/tasks", [{}, {}]), ("/batches", {"tasks": [{}, {}]})])
    def test_many_tasks_may_be_compressed(self, service: Service, encoding: str, path: str, body: Any) -> None:
        answer = post(service, COMPRESS[encoding](json.dumps(body).encode()), encoding, path)
        assert (answer.status_code, answer.get_json()["ids"]) == (201, [1, 2])

    def test_a_stream_of_zstd_without_a_length_is_read(self, service: Service) -> None:
        encoder = zstandard.ZstdCompressor().compressobj()
        assert post(service, encoder.compress(b'{"a":1}') + encoder.flush(), "zstd").status_code == 201

    @both
    def test_the_limit_holds_for_the_decompressed_body(self, encoding: str) -> None:
        service = configured(max_body=100_000)
        largest = b'{"a":"' + b"x" * (100_000 - 8) + b'"}'
        assert post(service, COMPRESS[encoding](largest), encoding).status_code == 201
        error = check_form(post(service, COMPRESS[encoding](largest + b" "), encoding), 413)
        assert error["message"] == "the body has more than 100000 bytes when it is decompressed"

    @both
    def test_a_compressed_body_beyond_the_limit_is_not_even_read(self, encoding: str) -> None:
        service = configured(max_body=100)
        assert check_form(post(service, b"x" * 101, encoding), 413)["message"] == "the body has more than 100 bytes"

    @both
    @pytest.mark.parametrize("path", ["/task/new", "/tasks"])
    def test_a_bomb_costs_no_memory(self, service: Service, encoding: str, path: str) -> None:
        bomb = COMPRESS[encoding](b"[" + b" " * 60 * MEBIBYTE)
        service.client.get("/ping")
        tracemalloc.start()
        answer = post(service, bomb, encoding, path)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert answer.status_code == 413
        assert peak < (45 if path == "/tasks" else 12) * MEBIBYTE

    @both
    @pytest.mark.parametrize(
        ("broken", "message"),
        [
            (lambda data: data[:-1], "incomplete"),
            (lambda data: data[: len(data) // 2], "incomplete"),
            (lambda data: data[:1], "incomplete"),
            (lambda data: data + b"x", "goes on"),
            (lambda data: data + data, "goes on"),
            (lambda data: b'{"a":1}', "is not valid"),
            (lambda data: data[:10] + b"\xff" * 500 + data[510:], "is not valid"),
        ],
    )
    def test_a_broken_body_is_400(
        self, service: Service, encoding: str, broken: Callable[[bytes], bytes], message: str
    ) -> None:
        data = COMPRESS[encoding](json.dumps({"n": [n * n for n in range(500)]}).encode())
        assert message in check_form(post(service, broken(data), encoding), 400)["message"]
        assert service.client.get("/task/1").status_code == 404

    def test_a_frame_that_needs_much_memory_is_400(self, service: Service) -> None:
        wide = zstandard.ZstdCompressor(
            compression_params=zstandard.ZstdCompressionParameters(window_log=27)
        ).compressobj()
        data = wide.compress(b'{"a":1}') + wide.flush()
        assert "too much memory" in check_form(post(service, data, "zstd"), 400)["message"]

    @pytest.mark.parametrize("encoding", ["br", "deflate", "gzip, identity", "gzip, zstd", "\xff", ""])
    def test_another_encoding_is_415_and_the_answer_names_those_that_are_read(
        self, service: Service, encoding: str
    ) -> None:
        answer = post(service, b"{}", encoding)
        message = "the content encoding of the body must be gzip or zstd, if it has one"
        assert check_form(answer, 415)["message"] == message
        assert answer.headers["Accept-Encoding"] == "gzip, zstd"

    @both
    def test_an_empty_body_needs_no_encoding(self, service: Service, encoding: str) -> None:
        assert post(service, b"", encoding).status_code == 201
