"""The service as `docker compose` runs it, under a project name and a port of its own."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from http.client import HTTPConnection
from typing import Any, TypeVar

from tests.conftest import ROOT

T = TypeVar("T")
ENGINE_VARIABLES = ("PATH", "HOME", "XDG_", "DOCKER_")
"""Prefixes of the variables that are passed on; those that a developer has set for another stack are not."""

SIGNAL_MAIN_PROCESS = """
import os, pathlib, sys
for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
    if stat.read_text().rpartition(")")[2].split()[1] == "1":
        os.kill(int(stat.parent.name), int(sys.argv[1]))
"""
"""Sends a signal to the process below the container's init, from inside: the engine then sees it end by itself."""


class Stack:
    """One project of Docker Compose. Every command has a timeout."""

    def __init__(self, project: str, port: int, **variables: str) -> None:
        self.project, self.port = project, port
        passed_on = {name: value for name, value in os.environ.items() if name.startswith(ENGINE_VARIABLES)}
        self._environment = {**passed_on, "PORT": str(port), **variables}

    def compose(self, *arguments: str, within: float = 120) -> str:
        """Run `docker compose`. Its output."""
        command = ("docker", "compose", "--env-file", os.devnull, "--project-name", self.project)
        return run(*command, *arguments, environment=self._environment, within=within)

    def containers(self, service: str) -> Sequence[str]:
        """The full ids of a service's containers, running or not."""
        return self.compose("ps", "--all", "--quiet", "--no-trunc", service).split()

    def inspect(self, container: str) -> dict[str, Any]:
        """The engine's description of a container."""
        return json.loads(run("docker", "inspect", container))[0]

    def signal(self, container: str, number: signal.Signals) -> None:
        """Send a signal to the main process of a container, from inside."""
        run("docker", "exec", container, "python", "-c", SIGNAL_MAIN_PROCESS, str(int(number)))

    def sql(self, statement: str) -> list[list[str]]:
        """Run a statement in the database. Its rows."""
        psql = ("psql", "--username=tasks", "--tuples-only", "--no-align", "--quiet", "--set=ON_ERROR_STOP=1")
        answer = self.compose("exec", "--no-TTY", "postgres", *psql, "--command", statement)
        return [line.split("|") for line in answer.splitlines()]

    def number(self, expression: str) -> int:
        """The integer value of an SQL expression over the tasks."""
        return int(self.sql(f"SELECT coalesce({expression}, 0) FROM tasks")[0][0])

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """The status and the JSON of the API's answer to a request."""
        with closing(Client(self.port)) as client:
            return client.ask(method, path, body)

    def eventually(self, check: Callable[[], T | None], within: float = 60) -> T:
        """Call the check until it is true. Its first true answer; after the time, the test fails with the logs."""
        end = time.monotonic() + within
        while not (answer := check()):
            assert time.monotonic() < end, f"still {answer!r} after {within} s\n{self.compose('logs', '--tail=40')}"
            time.sleep(0.1)
        return answer

    def live_types(self) -> set[str]:
        """The types that have a live handler; none while the API does not answer."""
        try:
            status, answer = self.ask("GET", "/types")
        except OSError:
            return set()
        return {each["name"] for each in answer["types"] if each["live"]} if status == 200 else set()


class Client:
    """One connection to the API, kept open."""

    def __init__(self, port: int) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=30)

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """The status and the JSON of the answer to a request."""
        content = None if body is None else json.dumps(body)
        headers = {} if body is None else {"Content-Type": "application/json"}
        self._connection.request(method, path, content, headers)
        answer = self._connection.getresponse()
        return answer.status, json.loads(answer.read())

    def close(self) -> None:
        self._connection.close()


def run(*command: str, environment: dict[str, str] | None = None, within: float = 60) -> str:
    """Run a command. Its output; the test fails with it where the command fails."""
    done = subprocess.run(
        command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=within
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
    return done.stdout
