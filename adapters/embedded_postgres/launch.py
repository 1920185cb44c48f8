"""Start a server, and start it again where the failure is a passing one."""

import socket
import time
from collections.abc import Mapping

from adapters.embedded_postgres import postmaster
from adapters.embedded_postgres.errors import DidNotStart
from adapters.embedded_postgres.guarded_process import GuardedProcess
from adapters.embedded_postgres.programs import Programs

SETTINGS: Mapping[str, object] = {
    "listen_addresses": "127.0.0.1",
    # No socket file: its path may have a hundred characters at most, and a checkout's may have more.
    "unix_socket_directories": "",
    "max_connections": 200,
    "log_checkpoints": "off",
}
NOT_DURABLE: Mapping[str, object] = {"fsync": "off", "full_page_writes": "off"}

# The message while processes of a killed server are still ending.
STILL_ENDING = "pre-existing shared memory block"
PORT_TAKEN = "could not create any TCP/IP sockets"
MAX_TRIES = 50


def launch(
    programs: Programs, port: int | None, *, durable: bool, settings: Mapping[str, object]
) -> tuple[GuardedProcess, int]:
    """A server that accepts connections, and its port: the given one, or a free one for None.

    Raises DidNotStart: the server ended instead; the message is its last error.
    """
    for _ in range(MAX_TRIES):
        chosen_port = port or _free_port()
        all_settings = {**SETTINGS, **({} if durable else NOT_DURABLE), **settings, "port": chosen_port}
        options = [f"--{name}={value}" for name, value in all_settings.items()]
        server = programs.run("postgres", "-D", str(programs.folder.cluster), *options)
        if _becomes_ready(server, programs):
            return server, chosen_port
        reason = programs.error_message()
        is_passing = STILL_ENDING in reason or (PORT_TAKEN in reason and port is None)
        if not is_passing:
            break
        time.sleep(0.1)
    raise DidNotStart(reason, programs.folder.log)


def _becomes_ready(server: GuardedProcess, programs: Programs) -> bool:
    # No deadline: recovery after a crash may take long, and PostgreSQL logs its progress.
    try:
        while server.alive():
            if postmaster.is_ready(programs.folder.cluster, server.pid):
                return True
            time.sleep(0.005)
    except BaseException:
        server.end()
        raise
    server.end()
    return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
