"""The address of the service that a client uses."""

import pytest

from flask_tasks.client.address import address, authorization, is_of_this_machine

ENVIRONMENT = {"FLASK_TASKS_URL": "http://api:5000/", "BACKEND_URL": "https://example.org/tasks", "PORT": "5001"}


def without(*names: str) -> dict[str, str]:
    return {name: "" if name in names else value for name, value in ENVIRONMENT.items()}


def test_the_given_address_is_used() -> None:
    assert address(" https://other.example/ ", ENVIRONMENT) == "https://other.example"


def test_the_address_in_the_environment_is_used_without_a_given_one() -> None:
    assert address(None, ENVIRONMENT) == "http://api:5000"
    assert address(None, without("FLASK_TASKS_URL")) == "https://example.org/tasks"


def test_this_machine_is_used_without_any_address() -> None:
    assert address(None, without("FLASK_TASKS_URL", "BACKEND_URL")) == "http://127.0.0.1:5001"
    assert address(None, without(*ENVIRONMENT)) == address(None, {}) == "http://127.0.0.1:5000"


@pytest.mark.parametrize(
    "wrong",
    ["", "api:5000", "ftp://api", "http://", "https://api/?a=1", "https://api/#a", "http://[::1", "http://api:0"],
)
def test_an_invalid_address_is_refused_with_a_sentence(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"url is '.*': it must be an address such as"):
        address(wrong, {})


def test_the_error_names_the_variable_and_hides_the_password() -> None:
    with pytest.raises(ValueError, match="BACKEND_URL is 'api'") as caught:
        address(None, {"BACKEND_URL": "me:secret@api"})
    assert "secret" not in str(caught.value)


def test_an_invalid_port_is_refused_with_a_sentence() -> None:
    with pytest.raises(ValueError, match="url is 'http://api:99999'"):
        address("http://api:99999", {})
    with pytest.raises(ValueError, match="PORT"):
        address(None, {"PORT": "x"})


@pytest.mark.parametrize(
    ("url", "is_here"), [("http://127.0.0.1:5000", True), ("http://[::1]/", True), ("http://api:5000", False)]
)
def test_addresses_of_this_machine_are_recognized(url: str, is_here: bool) -> None:
    assert is_of_this_machine(url) == is_here


def test_the_api_key_is_the_one_that_was_given_or_else_that_of_the_environment():
    there = {"FLASK_TASKS_API_KEY": " ft_there\n"}
    assert authorization("ft_given", there) == {"Authorization": "Bearer ft_given"}
    assert authorization(None, there) == {"Authorization": "Bearer ft_there"}
    assert authorization("", there) == authorization(None, {}) == {}
