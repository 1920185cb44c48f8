"""The embedded PostgreSQL as a real server, whose processes are really killed."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg2
import pytest

from adapters.embedded_postgres import EmbeddedPostgres, binaries, guardian, identity, postmaster
from adapters.embedded_postgres.data_folder import DataFolder
from adapters.embedded_postgres.errors import (
    AlreadyRunning,
    DidNotStart,
    NoServerFound,
    NoUserToRunAs,
    Unusable,
    WrongOwner,
    WrongVersion,
)
from adapters.embedded_postgres.programs import Programs

ROOT = Path(__file__).resolve().parents[2]
OWNER = """
import sys, time
from pathlib import Path
from adapters.embedded_postgres import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]), durable=False)
print(server.start(), server.pid, flush=True)
time.sleep(600)
"""
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(tmp_path / "data", durable=False)
    yield server
    server.stop()


@pytest.fixture
def owner(tmp_path: Path) -> Iterator[Callable[[], subprocess.Popen[str]]]:
    """Start another process that owns a server in the same folder."""
    owners: list[subprocess.Popen[str]] = []

    def start() -> subprocess.Popen[str]:
        command = [sys.executable, "-c", OWNER, str(tmp_path / "data")]
        owners.append(subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True))
        return owners[-1]

    yield start
    for process in owners:
        with process:
            process.kill()


def only(tool: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide all tools that run a command as another user, except this one."""
    which = shutil.which
    monkeypatch.setattr(shutil, "which", lambda name: which(name) if name == tool else None)


def query(url: str, sql: str) -> object:
    connection = psycopg2.connect(url)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall()[0][0] if cursor.description else None
    finally:
        connection.close()


def started(process: subprocess.Popen[str]) -> tuple[str, int]:
    assert process.stdout
    url, pid = process.stdout.readline().split()
    return url, int(pid)


def alive(pid: int) -> bool:
    """Whether the process runs. False for a zombie."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True).stdout.strip()
    return bool(state) and not state.startswith("Z")


def parent(pid: int) -> int:
    return int(subprocess.run(["ps", "-o", "ppid=", "-p", str(pid)], capture_output=True, text=True).stdout)


def ends(pid: int, within: float = 10) -> bool:
    deadline = time.monotonic() + within
    while alive(pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def test_a_new_server_accepts_connections(server: EmbeddedPostgres) -> None:
    url = server.start()
    assert url.startswith("postgresql://")
    assert query(url, "SHOW server_encoding") == "UTF8"
    assert int(str(query(url, "SHOW max_connections"))) >= 200


def test_commits_are_durable_by_default(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path / "data") as url:
        assert (
            query(url, "SHOW fsync")
            == query(url, "SHOW synchronous_commit")
            == query(url, "SHOW full_page_writes")
            == "on"
        )


def test_the_server_listens_on_this_machine_alone_and_requires_the_password(server: EmbeddedPostgres) -> None:
    url = server.start()
    assert query(url, "SHOW listen_addresses") == "127.0.0.1"
    assert query(url, "SHOW unix_socket_directories") == ""
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        psycopg2.connect(url, password="wrong")


def test_the_password_file_is_readable_by_its_owner_only(server: EmbeddedPostgres, tmp_path: Path) -> None:
    server.start()
    assert (tmp_path / "data" / "cluster" / "password").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700


def test_data_and_password_survive_a_restart(server: EmbeddedPostgres, tmp_path: Path) -> None:
    query(server.start(), "CREATE TABLE answers AS SELECT 42 AS answer")
    server.stop()
    with EmbeddedPostgres(tmp_path / "data", durable=False) as url:
        assert query(url, "SELECT answer FROM answers") == 42


def test_the_server_works_in_a_folder_with_a_hostile_name(tmp_path: Path) -> None:
    folder = tmp_path / ('o\'ne "two" $three é ' + "long" * 40) / "data"
    with EmbeddedPostgres(folder, durable=False) as url:
        assert query(url, "SELECT 1") == 1


def test_variables_of_another_postgresql_are_ignored(server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGDATA", "/nowhere")
    monkeypatch.setenv("PGPORT", "1")
    monkeypatch.setenv("LC_ALL", "xx_XX.nothing")
    assert query(server.start(), "SELECT 1") == 1


def test_a_killed_server_is_noticed_and_started_again_on_its_port(server: EmbeddedPostgres) -> None:
    url = server.start()
    query(url, "CREATE TABLE answers AS SELECT 42 AS answer")
    assert server.pid
    os.kill(server.pid, signal.SIGKILL)
    server.wait()
    assert server.pid is None
    assert server.start() == url
    assert query(url, "SELECT answer FROM answers") == 42


def test_starting_a_running_server_changes_nothing(server: EmbeddedPostgres) -> None:
    url, pid = server.start(), server.pid
    assert (server.start(), server.pid) == (url, pid)


def test_a_server_that_another_process_has_started_is_found_while_it_runs(tmp_path: Path) -> None:
    assert EmbeddedPostgres(tmp_path / "data").running_url() is None

    with EmbeddedPostgres(tmp_path / "data", durable=False) as url:
        assert EmbeddedPostgres(tmp_path / "data").running_url() == url
        assert query(url, "SELECT 1") == 1
    assert EmbeddedPostgres(tmp_path / "data").running_url() is None


def test_stopping_leaves_no_process(server: EmbeddedPostgres) -> None:
    server.start()
    pid = server.pid
    assert pid
    server.stop()
    assert not alive(pid)
    server.stop()


def test_killing_the_owner_leaves_no_server(owner: Callable[[], subprocess.Popen[str]]) -> None:
    process = owner()
    _, pid = started(process)
    process.kill()
    assert ends(pid)


def test_a_guardian_whose_owner_was_killed_at_once_leaves_no_process() -> None:
    reader, pipe = os.pipe()
    os.close(reader)
    command = [sys.executable, guardian.__file__, "sleep", "600"]
    ended = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=pipe, timeout=10)
    os.close(pipe)
    assert ended.returncode == signal.SIGTERM


def test_the_next_owner_waits_for_the_server_of_a_killed_one(
    owner: Callable[[], subprocess.Popen[str]], server: EmbeddedPostgres
) -> None:
    process = owner()
    url, _ = started(process)
    query(url, "CREATE TABLE answers AS SELECT 42 AS answer")
    process.kill()
    process.wait()
    assert query(server.start(), "SELECT answer FROM answers") == 42


def test_a_start_after_an_owner_was_killed_during_initdb_succeeds(
    owner: Callable[[], subprocess.Popen[str]], server: EmbeddedPostgres, tmp_path: Path
) -> None:
    process = owner()
    while not (tmp_path / "data" / "cluster.new" / "base").exists():
        time.sleep(0.005)
    process.kill()
    process.wait()
    assert not (tmp_path / "data" / "cluster").exists()
    assert query(server.start(), "SELECT 1") == 1


def test_files_of_an_initdb_that_a_power_cut_interrupted_are_removed(server: EmbeddedPostgres, tmp_path: Path) -> None:
    unfinished = tmp_path / "data" / "cluster.new"
    unfinished.mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("18\n")
    (tmp_path / "data" / "password.new").touch()
    assert query(server.start(), "SELECT 1") == 1


def test_starting_with_data_in_use_names_the_owner(
    owner: Callable[[], subprocess.Popen[str]], server: EmbeddedPostgres
) -> None:
    process = owner()
    started(process)
    assert server.owner() == process.pid
    with pytest.raises(AlreadyRunning, match=f"owned by process {process.pid}: stop that process first$"):
        server.start()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent has ended")
def test_killing_the_owner_and_the_guardian_leaves_no_server(owner: Callable[[], subprocess.Popen[str]]) -> None:
    process = owner()
    _, pid = started(process)
    os.kill(parent(pid), signal.SIGKILL)
    process.kill()
    assert ends(pid)


def test_a_server_that_outlived_its_guardian_is_ended_first(server: EmbeddedPostgres, tmp_path: Path) -> None:
    port = server.start().rpartition(":")[2].partition("/")[0]
    server.stop()
    folder = DataFolder(tmp_path / "data")
    with Programs(folder, lock=-1) as programs, open(os.devnull, "wb") as nowhere:
        options = (
            "-D",
            str(folder.cluster),
            f"--port={port}",
            "--listen_addresses=127.0.0.1",
            "--unix_socket_directories=",
        )
        command = (*programs.identity.prefix, str(programs.postgres), *options)
        orphan = subprocess.Popen(command, stderr=nowhere, env={**os.environ, "LC_ALL": "C"})
    while not postmaster.is_ready(folder.cluster, orphan.pid):
        assert orphan.poll() is None
        time.sleep(0.01)
    assert query(server.start(), "SELECT 1") == 1
    assert orphan.wait(10) == 0


def test_a_pid_file_that_names_another_process_is_ignored(server: EmbeddedPostgres, tmp_path: Path) -> None:
    server.start()
    pid_file = tmp_path / "data" / "cluster" / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    server.stop()
    with subprocess.Popen(["sleep", "600"]) as other_process:
        pid_file.write_text("\n".join([str(other_process.pid), *lines[1:]]))
        assert query(server.start(), "SELECT 1") == 1
        assert other_process.poll() is None
        other_process.kill()


def test_a_pid_file_of_a_dead_server_is_ignored(server: EmbeddedPostgres, tmp_path: Path) -> None:
    server.start()
    pid_file = tmp_path / "data" / "cluster" / "postmaster.pid"
    content = pid_file.read_text()
    server.stop()
    pid_file.write_text(content)
    assert query(server.start(), "SELECT 1") == 1


def test_data_of_another_version_are_refused_and_both_versions_named(server: EmbeddedPostgres, tmp_path: Path) -> None:
    server.start()
    server.stop()
    (tmp_path / "data" / "cluster" / "PG_VERSION").write_text("9\n")
    with pytest.raises(WrongVersion, match=r"made by PostgreSQL 9, but .* is version \d+: "):
        server.start()


def test_a_failed_start_releases_the_lock(server: EmbeddedPostgres, tmp_path: Path) -> None:
    cluster = tmp_path / "data" / "cluster"
    cluster.mkdir(parents=True)
    with pytest.raises(Unusable, match="its folder cluster holds no PostgreSQL data"):
        server.start()
    assert server.owner() is None
    cluster.rmdir()
    assert query(server.start(), "SELECT 1") == 1


def test_an_error_of_the_server_is_in_the_message(server: EmbeddedPostgres, tmp_path: Path) -> None:
    server.start()
    server.stop()
    (tmp_path / "data" / "cluster" / "postgresql.auto.conf").write_text("no_such_setting = 1\n")
    with pytest.raises(DidNotStart, match=r"configuration file .* contains errors"):
        server.start()


def test_a_port_that_was_taken_meanwhile_is_in_the_message(server: EmbeddedPostgres) -> None:
    url = server.start()
    server.stop()
    port = int(url.rpartition(":")[2].partition("/")[0])
    with (
        socket.create_server(("127.0.0.1", port)),
        pytest.raises(DidNotStart, match="could not create any TCP/IP sockets"),
    ):
        server.start()
    assert server.start() == url


def test_a_folder_that_cannot_be_made_is_in_the_message(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Unusable, match="Not a directory"):
        EmbeddedPostgres(tmp_path / "file" / "data").start()


def test_a_missing_postgresql_is_in_the_message(server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries, "_candidates", lambda: iter([Path("/nowhere")]))
    with pytest.raises(NoServerFound, match="or set DATABASE_URL"):
        server.start()


@as_root
def test_root_without_user_namespaces_drops_to_an_ordinary_user(
    monkeypatch: pytest.MonkeyPatch, server: EmbeddedPostgres, tmp_path: Path
) -> None:
    only("setpriv", monkeypatch)
    query(server.start(), "CREATE TABLE answers AS SELECT 42 AS answer")
    assert (tmp_path / "data" / "cluster").stat().st_uid != 0
    server.stop()
    assert query(server.start(), "SELECT answer FROM answers") == 42


@as_root
def test_root_without_any_tool_drops_to_an_ordinary_user_that_can_reach_the_folder(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    only("nothing", monkeypatch)
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        os.chmod(folder, 0o755)
        data = Path(folder, "data")
        try:
            with EmbeddedPostgres(data, durable=False) as url:
                assert query(url, "SELECT 1") == 1
        except NoUserToRunAs:
            pytest.skip("PostgreSQL itself is in a folder that only root can reach")
        assert (data / "cluster").stat().st_uid != 0


@as_root
def test_root_continues_with_data_that_it_made_by_another_tool(
    monkeypatch: pytest.MonkeyPatch, server: EmbeddedPostgres
) -> None:
    query(server.start(), "CREATE TABLE answers AS SELECT 42 AS answer")
    server.stop()
    only("setpriv", monkeypatch)
    assert query(server.start(), "SELECT answer FROM answers") == 42
    server.stop()
    monkeypatch.undo()
    assert query(server.start(), "SELECT answer FROM answers") == 42


@as_root
def test_root_leaves_data_in_the_folder_of_an_ordinary_user_to_that_user(
    tmp_path: Path, server: EmbeddedPostgres
) -> None:
    os.chown(tmp_path, identity._unprivileged_user().pw_uid, identity._unprivileged_user().pw_gid)
    query(server.start(), "SELECT 1")
    server.stop()
    owners = {path.stat().st_uid for path in (tmp_path / "data").rglob("*")}
    assert owners == {identity._unprivileged_user().pw_uid}


@as_root
def test_root_that_cannot_become_another_user_is_refused(
    monkeypatch: pytest.MonkeyPatch, server: EmbeddedPostgres
) -> None:
    monkeypatch.setattr(identity.Identity, "can_run", lambda *_: False)
    with pytest.raises(NoUserToRunAs, match="refuses to run as root"):
        server.start()


@as_root
def test_an_ordinary_user_is_refused_the_data_of_another(tmp_path: Path, server: EmbeddedPostgres) -> None:
    server.start()
    server.stop()
    os.seteuid(identity._unprivileged_user().pw_uid)
    try:
        with pytest.raises((WrongOwner, Unusable)):
            EmbeddedPostgres(tmp_path / "data").start()
    finally:
        os.seteuid(0)
