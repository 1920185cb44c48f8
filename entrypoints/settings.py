"""The settings of a process: one frozen object, made from the environment at its start."""

import os
import re
from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from ipaddress import IPv4Network, IPv6Network, ip_network
from math import ceil
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

CREDENTIALS = re.compile(r"^(\w+://)?.*@")
"""The part of an address that holds a password."""


SECRET = "whsec_"
UNITS = {"K": 1024, "M": 1024**2, "G": 1024**3}


class ConfigurationError(Exception):
    """{variable} is {value!r}: it takes {takes}"""

    def __init__(self, variable: str, value: str | None, takes: str) -> None:
        super().__init__()
        self.variable, self.value, self.takes = variable, value, takes

    def __str__(self) -> str:
        value = "not set" if self.value is None else repr(CREDENTIALS.sub(r"\1…@", self.value))
        return f"{self.variable} is {value}: it takes {self.takes}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the environment may set. Times are in seconds, sizes in bytes; VARIABLES says what each takes."""

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
    lease: float = 30.0
    grace: float = 20.0
    http_workers: int = 1
    http_threads: int = 16
    http_waiters: int = 500
    max_body: int = 1024 * 1024
    webhook_secret: tuple[bytes, ...] = ()
    webhook_networks: tuple[IPv4Network | IPv6Network, ...] = ()

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """The settings that these variables give. ConfigurationError names the first that is wrong."""
        given = {
            field.name: VARIABLES[field.name].read(environment[field.name.upper()])
            for field in fields(cls)
            if environment.get(field.name.upper(), "") != ""
        }
        for name in ("database_url", "webhook_secret"):
            if name not in given and (path := environment.get(f"{name.upper()}_FILE")):
                given[name] = _from_file(VARIABLES[name], path)
        given.setdefault("handler_concurrency", usable_cpus())
        return cls(**given)

    @property
    def connections(self) -> int:
        """How many a process may need at once: one a thread of the API; a janitor has eight senders and three more."""
        return max(self.http_threads, 11)

    @property
    def signs(self) -> bool:
        """Whether there is a secret, without which nobody is told anything."""
        return bool(self.webhook_secret)

    @property
    def required_database_url(self) -> str:
        """The database that a single process needs; ConfigurationError where there is none."""
        if self.database_url is None:
            raise ConfigurationError("DATABASE_URL", None, VARIABLES["database_url"].takes)
        return self.database_url


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable of the environment: what it takes, in words and as a function that raises ValueError."""

    name: str
    takes: str
    parse: Callable[[str], Any]
    is_secret: bool = False

    def read(self, value: str) -> Any:
        """The value as the settings hold it."""
        try:
            return self.parse(value.strip())
        except (ValueError, OverflowError):
            raise ConfigurationError(self.name, "…" if self.is_secret else value, self.takes) from None


def _database_url(value: str) -> str:
    if not value.startswith(("postgres://", "postgresql://")):
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
    if not value.startswith(SECRET):
        raise ValueError
    secret = b64decode(value.removeprefix(SECRET), validate=True)
    if not 24 <= len(secret) <= 64:
        raise ValueError
    return secret


def _list(of: Callable[[str], Any]) -> Callable[[str], tuple[Any, ...]]:
    def parse(value: str) -> tuple[Any, ...]:
        parts = tuple(of(part.strip()) for part in value.split(",") if part.strip())
        if not parts:
            raise ValueError
        return parts

    return parse


def _bytes(least: int, most: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        factor = UNITS.get(value[-1:].upper(), 1)
        return int(_number(int, least / factor, most / factor)(value[:-1] if factor > 1 else value)) * factor

    return parse


def _number(of: Callable[[str], Any], least: float, most: float) -> Callable[[str], Any]:
    def parse(value: str) -> Any:
        number = of(value)
        if not least <= number <= most:
            raise ValueError
        return number

    return parse


VARIABLES: Mapping[str, Variable] = {
    variable.name.lower(): variable
    for variable in (
        Variable("DATABASE_URL", "an address that starts with postgres:// or postgresql://", _database_url),
        Variable("TASKS", "files or modules, with commas between them", _list(str)),
        Variable("MAX_TASK_TIME", "whole seconds from 1 to 315360000", _number(int, 1, 315_360_000)),
        Variable("FRONTEND_URL", "origins such as https://example.org with commas between them, or *", _list(_origin)),
        Variable("BACKEND_URL", "an address such as https://example.org/tasks", _web_address),
        Variable("HANDLER_CONCURRENCY", "a whole number from 1 to 1000", _number(int, 1, 1000)),
        Variable("CHILD_MEMORY", "bytes, or MiB or GiB as in 512M or 2G, at least 32M", _bytes(32 * 1024**2, 2**50)),
        Variable("CHILD_TASKS", "a whole number from 1 to 1000000000", _number(int, 1, 1_000_000_000)),
        Variable("HOST", "a name or an address to listen on", str),
        Variable("PORT", "a whole number from 1 to 65535", _number(int, 1, 65_535)),
        Variable("LEASE", "seconds from 1 to 3600", _number(float, 1, 3600)),
        Variable("GRACE", "seconds from 0 to 86400", _number(float, 0, 86_400)),
        Variable("HTTP_WORKERS", "a whole number from 1 to 64", _number(int, 1, 64)),
        Variable("HTTP_THREADS", "a whole number from 1 to 256", _number(int, 1, 256)),
        Variable("HTTP_WAITERS", "a whole number from 0 to 10000", _number(int, 0, 10_000)),
        Variable("MAX_BODY", "bytes from 1024 to 33554432", _number(int, 1024, 33_554_432)),
        Variable(
            "WEBHOOK_SECRET",
            "whsec_ and 24 to 64 bytes in base64, or several with commas between them",
            _list(_secret),
            is_secret=True,
        ),
        Variable("WEBHOOK_NETWORKS", "networks such as 10.0.0.0/8 with commas between them", _list(ip_network)),
    )
}


def _from_file(variable: Variable, path: str) -> Any:
    name = f"{variable.name}_FILE"
    try:
        return variable.parse(Path(path).read_text().strip())
    except OSError as error:
        raise ConfigurationError(name, path, f"a file that can be read ({error.strerror})") from None
    except ValueError:
        # Not what stands in it: that is a secret.
        raise ConfigurationError(name, path, f"a file with {variable.takes}") from None


CGROUP = Path("/sys/fs/cgroup")
QUOTAS = (("cpu.max",), ("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us"))
"""Where a cgroup of version 2, and of version 1, says how much of a period of CPU time may be used."""


def usable_cpus(cgroup: Path = CGROUP) -> int:
    """The CPUs that this process may use, by affinity and by quota, a part of one counted as one."""
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(affinity, *(_quota([cgroup / name for name in names]) or affinity for names in QUOTAS)))


def _quota(files: Sequence[Path]) -> int | None:
    try:
        quota, period = " ".join(file.read_text() for file in files).split()
        return ceil(int(quota) / int(period)) if int(quota) > 0 else None
    except (OSError, ValueError):
        return None
