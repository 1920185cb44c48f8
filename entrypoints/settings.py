"""Settings of a process: one frozen object, read from the environment when the process starts."""

import logging
import os
import re
from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_network
from math import ceil
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

CREDENTIALS = re.compile(r"^(\w+://)?.*(@)|^(postgres(?:ql)?://)[^/@\[]*:(?!\d*(?:[,/?]|$))[^/]*")
"""The part of an address that may hold a password: what stands before an @, or for a port that is no number."""

HOST_AND_PORT = r"([^@:/?,\[\]\0]*|\[[^\]]*\])(:\d*)?"
DATABASE_URL = re.compile(rf"postgres(ql)?://([^@/\0]*@)?{HOST_AND_PORT}(,{HOST_AND_PORT})*([/?][^\0]*)?")
BAD_ESCAPE = re.compile(r"%(?![0-9a-fA-F]{2})|%00")
"""A percent sign that begins no character."""

SECRET_PREFIX = "whsec_"
LEVELS = {name: getattr(logging, name.upper()) for name in ("debug", "info", "warning", "error")}
BYTES_BY_UNIT = {"K": 1024, "M": 1024**2, "G": 1024**3}


class ConfigurationError(Exception):
    """{variable} is {value}: it must be {expected}"""

    def __init__(self, variable: str, value: str | None, expected: str) -> None:
        super().__init__()
        self.variable, self.value, self.expected = variable, value, expected

    def __str__(self) -> str:
        value = "not set" if self.value is None else repr(CREDENTIALS.sub(r"\1\3…\2", self.value))
        return (self.__doc__ or "").format(variable=self.variable, value=value, expected=self.expected)


class LogForm(StrEnum):
    """The forms of a log line: a sentence for a terminal, or a JSON object for a collector of logs."""

    TEXT = "text"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class LogSetting:
    """The form of the log, and the lowest level that is logged."""

    form: LogForm = LogForm.TEXT
    level: int = logging.INFO


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings with their defaults. Times are in seconds, sizes in bytes; VARIABLES has the limits of each."""

    database_url: str | None = None
    tasks: tuple[str, ...] = ("tasks/tasks.py",)
    max_task_time: int = 86_400
    frontend_url: tuple[str, ...] = ()
    backend_url: str | None = None
    handler_concurrency: int = 0
    child_memory: int | None = None
    child_tasks: int | None = None
    host: str = "127.0.0.1"
    port: int = 5000
    metrics_port: int | None = None
    lease: float = 30.0
    grace: float = 20.0
    linger: float | None = None
    http_workers: int = 1
    http_threads: int = 16
    http_waiters: int = 500
    max_body: int = 1024 * 1024
    require_keys: bool = False
    jwt_issuer: str | None = None
    jwt_audience: str | None = None
    jwt_key_set: str | None = None
    jwt_scopes_claim: str = "scope"
    webhook_secret: tuple[bytes, ...] = ()
    webhook_networks: tuple[IPv4Network | IPv6Network, ...] = ()
    log: LogSetting = LogSetting()
    otel_exporter_otlp_endpoint: str | None = None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Read the settings. Raises ConfigurationError: names the first variable that is wrong."""
        given = {
            field.name: VARIABLES[field.name].read(environment[field.name.upper()])
            for field in fields(cls)
            if environment.get(field.name.upper(), "") != ""
        }
        for name in FROM_FILES:
            if path := environment.get(f"{name.upper()}_FILE"):
                given[name] = _from_file(VARIABLES[name], path, is_set=name in given)
        given.setdefault("handler_concurrency", usable_cpus())
        if missing := [name for name in IDENTITY if name not in given] if not given.keys().isdisjoint(IDENTITY) else []:
            raise ConfigurationError(VARIABLES[missing[0]].name, None, f"{VARIABLES[missing[0]].expected}; {TOGETHER}")
        return cls(**given)

    @property
    def connections(self) -> int:
        """Database connections that a process may need at once.

        The API needs one for each thread, a janitor one for each of its eight senders and three more.
        """
        return max(self.http_threads, 11)

    @property
    def signs(self) -> bool:
        """Whether the service has a secret to sign callbacks with; without one it sends none."""
        return bool(self.webhook_secret)

    @property
    def traces(self) -> bool:
        """Whether requests, runs and callbacks are recorded as spans."""
        return self.otel_exporter_otlp_endpoint is not None

    @property
    def required_database_url(self) -> str:
        """The database address. Raises ConfigurationError: the variable is not set."""
        if self.database_url is None:
            raise ConfigurationError("DATABASE_URL", None, VARIABLES["database_url"].expected)
        return self.database_url


@dataclass(frozen=True, slots=True)
class Variable:
    """An environment variable.

    - `expected`: its valid values in words, for the sentence "it must be …".
    - `parse`: makes a setting of its text. Raises ValueError: the text is not valid.
    - `is_secret`: no message shows its value.
    """

    name: str
    expected: str
    parse: Callable[[str], Any]
    is_secret: bool = False

    def read(self, value: str) -> Any:
        """Parse the text. Raises ConfigurationError: the text is not valid."""
        try:
            return self.parse(value.strip())
        except (ValueError, OverflowError, KeyError):
            raise ConfigurationError(self.name, "…" if self.is_secret else value, self.expected) from None


def _database_url(value: str) -> str:
    if not DATABASE_URL.fullmatch(value) or BAD_ESCAPE.search(value):
        raise ValueError
    return value


def _web_address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
        raise ValueError
    return value.rstrip("/")


def _origin(value: str) -> str:
    if value == "*":
        return value
    parts = urlsplit(_web_address(value))
    if parts.path:
        raise ValueError
    return f"{parts.scheme}://{parts.netloc}".lower()


def _secret(value: str) -> bytes:
    if not value.startswith(SECRET_PREFIX):
        raise ValueError
    secret = b64decode(value.removeprefix(SECRET_PREFIX), validate=True)
    if not 24 <= len(secret) <= 64:
        raise ValueError
    return secret


def _name(value: str) -> str:
    if not value.isprintable():
        raise ValueError
    return value


def _switch(value: str) -> bool:
    return bool(_number(int, 0, 1)(value))


def _log(value: str) -> LogSetting:
    form, colon, level = value.lower().partition(":")
    return LogSetting(LogForm(form), LEVELS[level] if colon else logging.INFO)


def _list(parse_part: Callable[[str], Any]) -> Callable[[str], tuple[Any, ...]]:
    def parse(value: str) -> tuple[Any, ...]:
        parts = tuple(parse_part(part.strip()) for part in value.split(",") if part.strip())
        if not parts:
            raise ValueError
        return parts

    return parse


def _bytes(minimum: int, maximum: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        factor = BYTES_BY_UNIT.get(value[-1:].upper(), 1)
        return int(_number(int, minimum / factor, maximum / factor)(value[:-1] if factor > 1 else value)) * factor

    return parse


def _number(convert: Callable[[str], Any], minimum: float, maximum: float) -> Callable[[str], Any]:
    def parse(value: str) -> Any:
        number = convert(value)
        if not minimum <= number <= maximum:
            raise ValueError
        return number

    return parse


VARIABLES: Mapping[str, Variable] = {
    variable.name.lower(): variable
    for variable in (
        Variable(
            "DATABASE_URL",
            "an address that starts with postgres:// or postgresql://, as in postgresql://user:password@host:5432/name "
            "(with %40 for @, %2F for / and so on in the user and the password)",
            _database_url,
        ),
        Variable("TASKS", "files or modules, separated by commas", _list(str)),
        Variable("MAX_TASK_TIME", "a whole number of seconds from 1 to 315360000", _number(int, 1, 315_360_000)),
        Variable("FRONTEND_URL", "origins such as https://example.org, separated by commas, or *", _list(_origin)),
        Variable("BACKEND_URL", "an address such as https://example.org/tasks", _web_address),
        Variable("HANDLER_CONCURRENCY", "a whole number from 1 to 1000", _number(int, 1, 1000)),
        Variable(
            "CHILD_MEMORY",
            "a number of bytes, or of MiB or GiB as in 512M or 2G, at least 32M",
            _bytes(32 * 1024**2, 2**50),
        ),
        Variable("CHILD_TASKS", "a whole number from 1 to 1000000000", _number(int, 1, 1_000_000_000)),
        Variable("HOST", "a host name or an IP address to listen on", str),
        Variable("PORT", "a whole number from 1 to 65535", _number(int, 1, 65_535)),
        Variable("METRICS_PORT", "a whole number from 1 to 65535", _number(int, 1, 65_535)),
        Variable("LEASE", "a number of seconds from 1 to 3600", _number(float, 1, 3600)),
        Variable("GRACE", "a number of seconds from 0 to 86400", _number(float, 0, 86_400)),
        Variable("LINGER", "a number of seconds from 1 to 31536000", _number(float, 1, 31_536_000)),
        Variable("HTTP_WORKERS", "a whole number from 1 to 64", _number(int, 1, 64)),
        Variable("HTTP_THREADS", "a whole number from 1 to 256", _number(int, 1, 256)),
        Variable("HTTP_WAITERS", "a whole number from 0 to 10000", _number(int, 0, 10_000)),
        Variable("MAX_BODY", "a whole number of bytes from 1024 to 33554432", _number(int, 1024, 33_554_432)),
        Variable("REQUIRE_KEYS", "1 or 0", _switch),
        Variable("JWT_ISSUER", "the issuer in the tokens of an identity provider", _name),
        Variable("JWT_AUDIENCE", "the audience in the tokens that are for this service", _name),
        Variable("JWT_KEY_SET", "the address or the file of a JSON Web Key Set", _name),
        Variable("JWT_SCOPES_CLAIM", "the name of a claim", _name),
        Variable(
            "WEBHOOK_SECRET",
            "whsec_ and 24 to 64 bytes in base64, or several of these, separated by commas",
            _list(_secret),
            is_secret=True,
        ),
        Variable("WEBHOOK_NETWORKS", "networks such as 10.0.0.0/8, separated by commas", _list(ip_network)),
        Variable("LOG", "text or json, with a level behind a colon, as in json:info (or debug, warning, error)", _log),
        Variable("OTEL_EXPORTER_OTLP_ENDPOINT", "an address such as http://collector:4318", _web_address),
    )
}


IDENTITY = ("jwt_issuer", "jwt_audience", "jwt_key_set")
"""Settings that make sense together only."""
TOGETHER = "JWT_ISSUER, JWT_AUDIENCE and JWT_KEY_SET are set together"

FROM_FILES = ("database_url", "webhook_secret")
"""Settings that may stand in a file, which a variable with `_FILE` behind its name names."""


def _from_file(variable: Variable, path: str, is_set: bool) -> Any:
    name = f"{variable.name}_FILE"
    if is_set:
        raise ConfigurationError(name, path, f"unset where {variable.name} is set too")
    try:
        return variable.parse(Path(path).read_text(encoding="utf-8").strip())
    except OSError as error:
        raise ConfigurationError(name, path, f"a readable file ({error.strerror})") from None
    except ValueError:
        # The message leaves out the content of the file, which is a secret.
        raise ConfigurationError(name, path, f"a file with {variable.expected}") from None


CGROUP = Path("/sys/fs/cgroup")
QUOTAS = (("cpu.max",), ("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us"))
"""Files of a cgroup, of version 2 and of version 1, that hold its quota and period of CPU time."""


def usable_cpus(cgroup: Path = CGROUP) -> int:
    """Count the CPUs that this process may use, by affinity and by quota; a fraction counts as a whole CPU."""
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(affinity, *(_quota([cgroup / name for name in names]) or affinity for names in QUOTAS)))


def _quota(files: Sequence[Path]) -> int | None:
    try:
        quota, period = " ".join(file.read_text() for file in files).split()
        return ceil(int(quota) / int(period)) if int(quota) > 0 else None
    except (OSError, ValueError):
        return None
