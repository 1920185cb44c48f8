"""docs/admin.md: every command on it prints what stands there, over a database with the tasks that the page shows."""

import re
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from functools import cached_property

import pytest
from click.testing import CliRunner
from dependency_injector.providers import Object

from adapters.postgres import Database, PostgresClock, PostgresInspector
from application.ports.inspection import Inspection
from application.ports.monitoring import HandlerInfo, JanitorRecord
from application.ports.queue import ProgressReport
from application.submissions import TaskRequest
from domain.access import Scope
from domain.api_key import ApiKey
from domain.ids import ApiKeyId, HandlerId, JanitorId, TypeName
from domain.instants import EPOCH, LATEST
from domain.progress import Progress
from domain.task_type import TaskType
from entrypoints.admin.command_line import COMMANDS, command_line
from entrypoints.admin.composition import Composition
from entrypoints.containers.api import ApiContainer
from entrypoints.containers.postgres_storage import PostgresStorage
from entrypoints.settings import Settings
from tests.conftest import ROOT
from tests.e2e.examples import is_printed
from tests.steps import claim_one, fail, report, succeed
from tests.storage import in_postgres

PAGE = (ROOT / "docs/admin.md").read_text()
EXAMPLE = re.compile(r"```sh\npython3 run\.py admin ([^\n]*)\n```\n\n```text\n(.*?)```", re.DOTALL)
FAILING = {"doctor"}
"""Commands whose exit code is 1 in their example."""
DIFFERING = {
    r"ft_\w+|ft_…": "KEY",
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ": "TIME",
    r"\d+ (s|min|h|d)( \d+ (s|min|h))? ago": "AGE",
    r"[\d.]+ s (ahead of|behind)": "SECONDS beside",
    r"PostgreSQL [^,]+, as role \w+": "PostgreSQL VERSION, as role ROLE",
    r"Of \d+ connections \d+": "Of NUMBER connections NUMBER",
    " {2,}": "  ",
}
PREVIOUS_REVISION = "0031"
WORKER, GONE = HandlerId("worker-1-4211-9c3f01ab"), HandlerId("worker-0-17-00aa11bb")
ADD, REPORT = (
    TaskType(name=TypeName("add"), description="Add two numbers."),
    TaskType(name=TypeName("report"), description="The figures of a month."),
)
MOV3D = TaskType(name=TypeName("mov3d"), description="Trajectory of a falling sphere.")
TASKS: Sequence[tuple[str, dict[str, int | None]]] = (
    ("add", {"a": 1, "b": 2}),
    ("add", {"a": 1, "b": None}),
    ("mov3d", {}),
    ("report", {}),
    ("report", {}),
)


FRONT_END = ApiKey(
    id=ApiKeyId("k3v9x2ab"),
    digest="",
    name="simulation front end",
    scopes=frozenset({Scope.READ, Scope.SUBMIT}),
    types=frozenset({MOV3D.name}),
    own_only=True,
    per_second=20,
    max_waiting=1000,
    created=EPOCH,
    expires=LATEST,
    last_used=EPOCH,
)


class PageComposition(Composition):
    """The database of the tests, whose server runs without what the doctor would miss."""

    @cached_property
    def storage(self) -> PostgresStorage:
        return PostgresStorage(settings=self.settings, inspector=Object(self._inspect))

    def _inspect(self) -> Inspection:
        with closing(Database(self.settings.required_database_url)) as database:
            return replace(PostgresInspector(database, "flask-tasks")(), settings={})


def prepare(database: Database, settings: Settings) -> None:
    """Publish types, and submit and run the tasks of the page."""
    storage = in_postgres(database)
    clock = PostgresClock(database)
    clock.measure()
    now = clock.now()
    info = HandlerInfo(host="worker-1", pid=4211, started=now - timedelta(hours=26), concurrency=4)
    janitor = JanitorRecord(
        id=JanitorId("worker-1-4212-11d0b7e2"), host="worker-1", pid=4212, started=info.started, last_seen=now
    )
    with storage.begin() as work:
        work.types.publish(GONE, [REPORT], now, lease=30)
        work.types.withdraw(GONE)
        work.types.publish(WORKER, [ADD, MOV3D], now + timedelta(hours=1), lease=3600, info=info)
        work.monitoring.renew_janitor(janitor)
        work.api_keys.add(FRONT_END)
        work.commit()
    api = ApiContainer(settings=settings, storage=PostgresStorage(settings=settings))
    for type, args in TASKS:
        api.submit_task()(TaskRequest(type=TypeName(type), args=args, labels={"user": "ana"}))
    api.shutdown_resources()
    now = clock.now()
    succeed(storage, claim_one(storage, now=now, handler=WORKER), now, "3")
    fail(storage, claim_one(storage, now=now, handler=WORKER), now)
    running = claim_one(storage, now=now, handler=WORKER, wanted={"mov3d": 1})
    report(storage, ProgressReport(running.hold, now, Progress(0.4, "integrating")))


@pytest.fixture
def settings(database: Database, postgres_url: str) -> Settings:
    settings = Settings(database_url=postgres_url)
    prepare(database, settings)
    return settings


@pytest.fixture
def older_tables(database: Database) -> Iterator[None]:
    """Tables that call themselves older, for the command that prints what would be done."""
    with database.engine.begin() as connection:
        newest = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one()
        connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{PREVIOUS_REVISION}'")
    yield
    with database.engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{newest}'")


def run(settings: Settings, command: str) -> tuple[int, str]:
    """Run a command. Its exit code, and all that a terminal shows of it."""
    composition = PageComposition({"DATABASE_URL": settings.required_database_url})
    done = CliRunner().invoke(command_line, command.split(), obj=composition, input="y\n")
    composition.close()
    return done.exit_code, done.output


def test_every_command_prints_what_the_page_shows(settings: Settings):
    for command, shown in examples():
        if "--sql" not in command:
            code, said = run(settings, command)
            assert is_printed(alike(shown), alike(said)), f"{command}\n{said}"
            assert code == int(command in FAILING)


@pytest.mark.usefixtures("older_tables")
def test_the_sql_of_a_migration_is_printed_as_the_page_shows(settings: Settings):
    (shown,) = (shown for command, shown in examples() if "--sql" in command)
    code, said = run(settings, "migrate --sql")
    assert is_printed(shown, said), said
    assert code == 0


def test_every_command_has_an_example():
    assert {command.split()[0] for command, _ in examples()} == {each.name for each in COMMANDS}


def alike(text: str) -> str:
    """The text with the same words in place of what differs each time."""
    for pattern, word in DIFFERING.items():
        text = re.sub(pattern, word, text)
    return text


def examples() -> list[tuple[str, str]]:
    """The commands of the page, in order, with what each prints."""
    return EXAMPLE.findall(PAGE)
