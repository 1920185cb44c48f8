"""The settings of a process: the default and the valid values of each variable, and the message for other values."""

import logging
import subprocess
import sys
from base64 import b64encode
from dataclasses import fields
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from entrypoints.settings import VARIABLES, ConfigurationError, LogForm, LogSetting, Settings, usable_cpus
from tests.conftest import ROOT

SECRET = "whsec_" + b64encode(b"s" * 24).decode()
NETWORKS = ("10.0.0.0/8", "127.0.0.1", "fd00::/8")
URL = "postgresql://somebody:p%40ss@one,two:5433/tasks?sslmode=require"


def read(**environment: str) -> Settings:
    return Settings.from_environment(environment)


def refused(**environment: str) -> str:
    with pytest.raises(ConfigurationError) as refusal:
        read(**environment)
    return str(refusal.value)


def test_every_setting_has_its_variable():
    assert {field.name for field in fields(Settings)} == set(VARIABLES)
    assert all(name == variable.name.lower() for name, variable in VARIABLES.items())


@pytest.mark.parametrize(
    ("setting", "default"),
    [
        ("database_url", None),
        ("tasks", ("tasks/tasks.py",)),
        ("max_task_time", 86_400),
        ("frontend_url", ()),
        ("backend_url", None),
        ("host", "127.0.0.1"),
        ("port", 5000),
        ("metrics_port", None),
        ("lease", 30.0),
        ("grace", 20.0),
    ],
)
@pytest.mark.parametrize("environment", [{}, dict.fromkeys(map(str.upper, VARIABLES), "")], ids=["unset", "empty"])
def test_an_unset_or_empty_variable_has_its_default(environment: dict[str, str], setting: str, default: object):
    assert getattr(Settings.from_environment(environment), setting) == default


def test_a_handler_has_a_child_for_each_cpu_that_it_may_use():
    assert read().handler_concurrency >= 1


@pytest.mark.parametrize(
    ("variable", "value", "setting"),
    [
        ("DATABASE_URL", URL, URL),
        ("DATABASE_URL", "postgres://localhost/x", "postgres://localhost/x"),
        ("DATABASE_URL", f" {URL}\n", URL),
        ("DATABASE_URL", "postgresql://u:a?b#c@[::1]:5432,10.0.0.1/x", "postgresql://u:a?b#c@[::1]:5432,10.0.0.1/x"),
        ("DATABASE_URL", "postgresql://%2Frun%2Fpg/x?user=a@b", "postgresql://%2Frun%2Fpg/x?user=a@b"),
        ("DATABASE_URL", "postgresql://", "postgresql://"),
        ("TASKS", "tasks/tasks.py", ("tasks/tasks.py",)),
        ("TASKS", " mine.tasks , other.py,", ("mine.tasks", "other.py")),
        ("MAX_TASK_TIME", "1", 1),
        ("MAX_TASK_TIME", "315360000", 315_360_000),
        ("FRONTEND_URL", "*", ("*",)),
        ("FRONTEND_URL", "https://a.org/, http://B.org:8080", ("https://a.org", "http://b.org:8080")),
        ("BACKEND_URL", "https://example.org/tasks/", "https://example.org/tasks"),
        ("HANDLER_CONCURRENCY", "1000", 1000),
        ("CHILD_MEMORY", "33554432", 32 * 1024**2),
        ("CHILD_MEMORY", "512M", 512 * 1024**2),
        ("CHILD_MEMORY", "2g", 2 * 1024**3),
        ("CHILD_TASKS", "100", 100),
        ("HOST", "0.0.0.0", "0.0.0.0"),
        ("HOST", "::1", "::1"),
        ("PORT", "65535", 65_535),
        ("METRICS_PORT", "9464", 9464),
        ("LEASE", "1.5", 1.5),
        ("GRACE", "0", 0.0),
        ("LINGER", "60", 60.0),
        ("HTTP_WORKERS", "64", 64),
        ("HTTP_THREADS", "1", 1),
        ("MAX_BODY", "33554432", 33_554_432),
        ("REQUIRE_KEYS", "1", True),
        ("REQUIRE_KEYS", "0", False),
        ("JWT_SCOPES_CLAIM", "permissions", "permissions"),
        ("WEBHOOK_SECRET", SECRET, (b"s" * 24,)),
        ("WEBHOOK_SECRET", f"{SECRET}, whsec_{'A' * 84}AA==", (b"s" * 24, bytes(64))),
        ("WEBHOOK_NETWORKS", "10.0.0.0/8, 127.0.0.1,fd00::/8", tuple(map(ip_network, NETWORKS))),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318", "http://collector:4318"),
        ("LOG", "json", LogSetting(LogForm.JSON, logging.INFO)),
        ("LOG", "Text:Debug", LogSetting(LogForm.TEXT, logging.DEBUG)),
    ],
)
def test_a_good_value_is_taken(variable: str, value: str, setting: Any):
    assert getattr(read(**{variable: value}), variable.lower()) == setting


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("postgresql://u:secret@host:many/x", "postgresql://…@host:many/x"),
        ("postgresql://u:sec/ret@host/x", "postgresql://…@host/x"),
        ("postgresql://u:sec@ret@host/x", "postgresql://…@host/x"),
        ("postgresql://u:sec%ret@host/x", "postgresql://…@host/x"),
        ("postgresql://u:secret%00@host/x", "postgresql://…@host/x"),
        ("postgresql://u:secret@[::1/x", "postgresql://…@[::1/x"),
        ("postgresql://u:secret/x", "postgresql://…/x"),
        ("postgresql://u:1secret", "postgresql://…"),
    ],
)
def test_an_address_that_cannot_be_read_is_refused_without_its_password(value: str, shown: str):
    assert refused(DATABASE_URL=value) == (
        f"DATABASE_URL is {shown!r}: it must be {VARIABLES['database_url'].expected}"
    )


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("DATABASE_URL", "mysql://localhost/x"),
        ("DATABASE_URL", "postgresqlql://localhost/x"),
        ("DATABASE_URL", "host=localhost dbname=x"),
        ("DATABASE_URL", " "),
        ("DATABASE_URL", f"postgresql://{'a,' * 100}["),
        ("TASKS", ","),
        ("MAX_TASK_TIME", "0"),
        ("MAX_TASK_TIME", "315360001"),
        ("MAX_TASK_TIME", "60.5"),
        ("MAX_TASK_TIME", "a day"),
        ("FRONTEND_URL", "example.org"),
        ("FRONTEND_URL", "https://example.org/path"),
        ("FRONTEND_URL", "https://a.org, ftp://b.org"),
        ("FRONTEND_URL", "https://[::1"),
        ("BACKEND_URL", "/tasks"),
        ("BACKEND_URL", "https://example.org/?q=1"),
        ("METRICS_PORT", "0"),
        ("METRICS_PORT", "65536"),
        ("HANDLER_CONCURRENCY", "0"),
        ("HANDLER_CONCURRENCY", "-1"),
        ("HANDLER_CONCURRENCY", "many"),
        ("CHILD_MEMORY", "0"),
        ("CHILD_MEMORY", "31M"),
        ("CHILD_MEMORY", "M"),
        ("CHILD_MEMORY", "1.5G"),
        ("CHILD_TASKS", "0"),
        ("PORT", "0"),
        ("PORT", "65536"),
        ("LEASE", "0"),
        ("LEASE", "nan"),
        ("LEASE", "inf"),
        ("GRACE", "-0.1"),
        ("LINGER", "0"),
        ("LINGER", "never"),
        ("HTTP_WORKERS", "65"),
        ("HTTP_THREADS", "0"),
        ("MAX_BODY", "1023"),
        ("REQUIRE_KEYS", "yes"),
        ("JWT_SCOPES_CLAIM", "a\nb"),
        ("MAX_BODY", "9" * 5000),
        ("WEBHOOK_NETWORKS", "10.0.0.1/8"),
        ("WEBHOOK_NETWORKS", "example.org"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"),
        ("LOG", "debug"),
        ("LOG", "json:"),
        ("LOG", "json:trace"),
    ],
)
def test_a_bad_value_is_refused_with_the_variable_the_value_and_what_it_takes(variable: str, value: str):
    assert refused(**{variable: value}) == f"{variable} is {value!r}: it must be {VARIABLES[variable.lower()].expected}"


class TestDatabase:
    def test_its_address_may_stand_in_a_file(self, tmp_path: Path):
        secret = tmp_path / "url"
        secret.write_text(f"{URL}\n")
        assert read(DATABASE_URL_FILE=str(secret)).database_url == URL

    def test_its_file_is_read_as_utf_8_whatever_the_locale(self, tmp_path: Path):
        secret = tmp_path / "url"
        secret.write_text("postgresql://é@localhost/x", encoding="utf-8")
        code = "import os; from entrypoints.settings import Settings; Settings.from_environment(os.environ)"
        environment = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "DATABASE_URL_FILE": str(secret)}
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, check=True)

    def test_a_file_that_is_not_there_is_named(self, tmp_path: Path):
        missing = str(tmp_path / "url")
        message = "it must be a readable file (No such file or directory)"
        assert refused(DATABASE_URL_FILE=missing) == f"DATABASE_URL_FILE is {missing!r}: {message}"

    @pytest.mark.parametrize("content", [b"", b"mysql://localhost/x", b"\xff\xfe"])
    def test_a_file_with_something_else_in_it_is_named_and_its_secret_is_not_told(self, tmp_path: Path, content: bytes):
        secret = tmp_path / "url"
        secret.write_bytes(content)
        message = f"it must be a file with {VARIABLES['database_url'].expected}"
        assert refused(DATABASE_URL_FILE=str(secret)) == f"DATABASE_URL_FILE is {str(secret)!r}: {message}"

    def test_a_single_process_needs_one(self):
        assert read(DATABASE_URL=URL).required_database_url == URL
        with pytest.raises(ConfigurationError) as refusal:
            _ = read().required_database_url
        expected = VARIABLES["database_url"].expected
        assert str(refusal.value) == f"DATABASE_URL is not set: it must be {expected}"


class TestSecret:
    @pytest.mark.parametrize(
        "wrong", ["", SECRET[6:], "whsec_c2hvcnQ=", "whsec_" + "A" * 200, SECRET + "!", SECRET + ",x"]
    )
    def test_an_invalid_secret_is_refused_and_not_shown(self, wrong: str):
        wrong = wrong or "x"
        expected = VARIABLES["webhook_secret"].expected
        assert refused(WEBHOOK_SECRET=wrong) == f"WEBHOOK_SECRET is '…': it must be {expected}"

    def test_a_secret_may_be_in_a_file(self, tmp_path: Path):
        secret = tmp_path / "secret"
        secret.write_text(f"{SECRET}\n")
        assert read(WEBHOOK_SECRET_FILE=str(secret)).webhook_secret == (b"s" * 24,)
        secret.write_text("guess")
        message = f"it must be a file with {VARIABLES['webhook_secret'].expected}"
        assert refused(WEBHOOK_SECRET_FILE=str(secret)) == f"WEBHOOK_SECRET_FILE is {str(secret)!r}: {message}"

    def test_without_one_nothing_is_signed(self):
        assert read(WEBHOOK_SECRET=SECRET).signs
        assert not read().signs


@pytest.mark.parametrize(("variable", "value"), [("DATABASE_URL", URL), ("WEBHOOK_SECRET", SECRET)])
def test_a_variable_and_a_file_of_it_together_are_refused_with_both_names(tmp_path: Path, variable: str, value: str):
    file = tmp_path / "value"
    file.write_text(value)
    message = f"{variable}_FILE is {str(file)!r}: it must be unset where {variable} is set too"
    assert refused(**{variable: value, f"{variable}_FILE": str(file)}) == message
    assert getattr(read(**{variable: value, f"{variable}_FILE": ""}), variable.lower())
    assert getattr(read(**{variable: "", f"{variable}_FILE": str(file)}), variable.lower())


def test_settings_do_not_change():
    with pytest.raises(AttributeError):
        read().port = 80  # type: ignore[misc]


@pytest.mark.parametrize(
    ("files", "cpus"),
    [
        ({"cpu.max": "max 100000\n"}, None),
        ({"cpu.max": "50000 100000\n"}, 1),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, None),
        ({"cpu/cpu.cfs_quota_us": "100000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 1),
        ({}, None),
    ],
)
def test_a_quota_of_cpu_time_is_seen(tmp_path: Path, files: dict[str, str], cpus: int | None):
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    assert usable_cpus(tmp_path) == (cpus or usable_cpus(tmp_path / "nothing"))


@pytest.mark.parametrize("wrong", ["mysql://me:secret@host/db", "me:secret@host", "postgres:/me:se@cret@host"])
def test_a_wrong_address_is_shown_without_its_password(wrong: str):
    sentence = refused(DATABASE_URL=wrong)
    assert "host" in sentence
    assert "secret" not in sentence
    assert "cret" not in sentence
