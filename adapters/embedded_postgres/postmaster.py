"""Read the file postmaster.pid of a cluster, in which its server reports its pid and state."""

import os
import signal
import subprocess
import time
from pathlib import Path


def is_ready(cluster: Path, pid: int) -> bool:
    """Whether the server with this pid accepts connections."""
    lines = _lines(cluster)
    return len(lines) > 7 and lines[0].strip() == str(pid) and lines[7].strip() == "ready"


def ready_port(cluster: Path) -> int | None:
    """The port of the server of this cluster; None where it does not accept connections, as far as it has told."""
    lines = _lines(cluster)
    return int(lines[3]) if len(lines) > 7 and lines[7].strip() == "ready" else None


def end_leftover_server(cluster: Path) -> None:
    """End a server that outlived its killed guardian, or remove a stale file that would prevent a start.

    The lock of the data folder is held. Where the pid now belongs to another process, as in a container that was
    started again, PostgreSQL would take that process for a server: the file is removed. Where no process has the pid,
    the file stays: PostgreSQL checks by itself whether the memory of that server is still in use.
    """
    lines = _lines(cluster)
    pid = int(lines[0]) if lines and lines[0].strip().isdigit() else 0
    if not pid or not _exists(pid):
        return
    if not _serves(pid, cluster):
        (cluster / "postmaster.pid").unlink(missing_ok=True)
        return
    for signum in (signal.SIGINT, signal.SIGQUIT):
        os.kill(pid, signum)
        if _ends_within(30.0, pid, cluster):
            return


def _lines(cluster: Path) -> list[str]:
    try:
        return (cluster / "postmaster.pid").read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return []


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _serves(pid: int, cluster: Path) -> bool:
    """Whether the process is a server of this cluster, whose folder is its working directory. False for a zombie."""
    if os.path.isdir("/proc/self"):
        try:
            name = Path(f"/proc/{pid}/comm").read_text(errors="replace").strip()
            return name == "postgres" and os.path.samefile(f"/proc/{pid}/cwd", cluster)
        except OSError:
            return False
    command = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True).stdout
    return "postgres" in command and str(cluster) in command


def _ends_within(seconds: float, pid: int, cluster: Path) -> bool:
    deadline = time.monotonic() + seconds
    while _serves(pid, cluster):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
