"""The header `traceparent`: which are valid, and what is taken of them."""

import pytest

from domain.traceparent import parse_traceparent, trace_id

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
VALID = f"00-{TRACE}-{SPAN}-01"


@pytest.mark.parametrize("flags", ["00", "01", "ff"])
def test_a_valid_header_is_taken_as_it_is(flags: str):
    assert parse_traceparent(f"00-{TRACE}-{SPAN}-{flags}") == f"00-{TRACE}-{SPAN}-{flags}"


@pytest.mark.parametrize("header", [f"01-{TRACE}-{SPAN}-01", f"cc-{TRACE}-{SPAN}-01-more-parts"])
def test_of_a_later_version_the_known_parts_are_taken(header: str):
    assert parse_traceparent(header) == VALID


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "tiger",
        VALID[:-1],
        f"{VALID}-more",
        f"{VALID}\n",
        f" {VALID}",
        VALID.upper(),
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE}-{SPAN}-0x",
        f"00-{TRACE}-{SPAN}",
        f"00_{TRACE}_{SPAN}_01",
        f"01-{TRACE}-{SPAN}-01-{'x' * 200}",
        f"01-{TRACE}-{SPAN}-01more",
    ],
)
def test_another_header_is_none(header: str | None):
    assert parse_traceparent(header) is None


def test_the_id_of_the_trace_is_part_of_it():
    assert trace_id(parse_traceparent(VALID)) == TRACE
    assert trace_id(None) is None
