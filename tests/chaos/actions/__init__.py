"""The actions of the schedule: each injects one fault into the service, and ends it after its time."""

import signal
from collections.abc import Mapping

from tests.chaos.actions.action import Action, api, handler, in_database, janitor
from tests.chaos.actions.lines import break_connections, partition, slow_line
from tests.chaos.actions.locks import TABLES, hold_rows, lock_rows, lock_table
from tests.chaos.actions.processes import (
    clog_log,
    drain,
    freeze,
    freeze_child,
    freeze_host,
    kill,
    kill_child,
    kill_container,
)
from tests.chaos.actions.server import (
    end_server,
    fail_over_server,
    fill_disk_of_server,
    freeze_server,
    on_server,
    set_clock_of_server,
)
from tests.chaos.actions.sessions import (
    exhaust_connections,
    read_only_database,
    read_only_system,
    role_timeouts,
    terminate_backends,
)
from tests.chaos.actions.tasks import administer_rows, kill_by_function
from tests.chaos.proxies import Proxy

ACTIONS: Mapping[str, Action] = {
    "kill_handler": kill(handler),
    "kill_container": kill_container,
    "kill_child": kill_child,
    "kill_janitor": kill(janitor),
    "kill_api": kill(api),
    "kill_by_function": kill_by_function,
    "drain_handler": drain,
    "freeze_handler": freeze(handler),
    "freeze_host": freeze_host,
    "freeze_child": freeze_child,
    "freeze_janitor": freeze(janitor),
    "freeze_api": freeze(api),
    "clog_log": clog_log,
    "partition_handler": partition(handler),
    "partition_janitor": partition(janitor),
    "partition_api": partition(api),
    "partition_requests": partition(handler, Proxy.block_requests),
    "partition_answers": partition(handler, Proxy.block_answers),
    "slow_line": slow_line,
    "break_connections": break_connections,
    "terminate_backends": terminate_backends,
    "exhaust_connections": in_database(exhaust_connections),
    "read_only_database": in_database(read_only_database),
    "read_only_system": in_database(read_only_system),
    "role_timeouts": in_database(role_timeouts),
    "hold_rows": hold_rows,
    **{f"lock_rows_of_{table}": in_database(lock_rows(table)) for table in TABLES},
    **{f"lock_table_{table}": in_database(lock_table(table)) for table in TABLES},
    "administer_rows": in_database(administer_rows),
    "restart_server": end_server(signal.SIGINT),
    "abort_server": end_server(signal.SIGQUIT),
    "kill_server": end_server(signal.SIGKILL),
    "freeze_server": on_server(freeze_server),
    "fail_over_server": fail_over_server,
    "set_clock_of_server": set_clock_of_server,
    "fill_disk_of_server": on_server(fill_disk_of_server),
}
