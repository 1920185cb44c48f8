"""What a server says about itself in the file postmaster.pid of its cluster."""

import os
import signal
import subprocess
import time
from pathlib import Path


def is_ready(cluster: Path, pid: int) -> bool:
    """Whether the server with this pid takes connections."""
    lines = _lines(cluster)
    return len(lines) > 7 and lines[0].strip() == str(pid) and lines[7].strip() == "ready"


def clear(cluster: Path) -> None:
    """Leave no server on a cluster that we hold the lock of, and no file that would keep ours from starting.

    A server may have outlived a keeper that was killed. And the pid may be another process's by now, as in a container
    that was started again: PostgreSQL would take that for a server. A pid that is nobody's is left to PostgreSQL, which
    also looks whether the memory of that server is still in use.
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
        if _ends(pid, cluster, patience=30):
            return


def _lines(cluster: Path) -> list[str]:
    try:
        return (cluster / "postmaster.pid").read_text().splitlines()
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
    """Whether the process is a server of this cluster: such a one works in its folder. A zombie works nowhere."""
    if os.path.isdir("/proc/self"):
        try:
            name = Path(f"/proc/{pid}/comm").read_text().strip()
            return name == "postgres" and os.path.samefile(f"/proc/{pid}/cwd", cluster)
        except OSError:
            return False
    command = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True).stdout
    return "postgres" in command and str(cluster) in command


def _ends(pid: int, cluster: Path, patience: float) -> bool:
    deadline = time.monotonic() + patience
    while _serves(pid, cluster):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
