"""A service whose pages show events: its storage has the clock that tests hold."""

import json
import re
from datetime import datetime, timedelta
from html import unescape
from typing import Any

from adapters.clocks.manual import ManualClock
from adapters.memory import MemoryStore
from application.ports.monitoring import HandlerInfo, JanitorRecord
from domain.ids import HandlerId, JanitorId, TypeName
from domain.instants import after
from domain.task_type import TaskType
from entrypoints.settings import Settings
from tests import steps
from tests.unit.http_service import Service

LEASE_SECONDS = 30.0


def service_with_events(now: datetime, **settings: Any) -> Service:
    """Make a service at this time, whose events are counted at the times of its clock."""
    clock = ManualClock(now)
    return Service(Settings(**settings), clock=clock, store=MemoryStore(now=clock.now))


def publish(service: Service, id: str, *types: str | TaskType, seconds: float = 1e6, concurrency: int = 2) -> None:
    """Publish types of a handler that lives for so long."""
    now = service.clock.now()
    info = HandlerInfo(host="a-host", pid=7, started=now, concurrency=concurrency)
    named = [each if isinstance(each, TaskType) else TaskType(name=TypeName(each)) for each in types]
    with service.store.begin() as work:
        work.types.publish(HandlerId(id), named, after(now, seconds), "boot 1", LEASE_SECONDS, info)
        work.commit()


def renew_janitor(service: Service, id: str = "a-janitor") -> None:
    """Let a janitor show a sign of life."""
    now = service.clock.now()
    record = JanitorRecord(id=JanitorId(id), host="a-host", pid=8, started=now, last_seen=now)
    with service.store.begin() as work:
        work.monitoring.renew_janitor(record)
        work.commit()


def add(service: Service, type: str = "add", number: int = 1) -> None:
    """Submit tasks."""
    for _ in range(number):
        steps.add(service.storage, steps.submission(type, now=service.clock.now()))


def claim(service: Service, handler: str, type: str = "add", number: int = 1) -> None:
    """Let a handler start tasks."""
    now = service.clock.now()
    steps.claim(service.storage, number, now=now, wanted={type: number}, handler=handler, starting=number)


def ran(service: Service, type: str = "add", took: float = 2, fails: bool = False) -> None:
    """Let a task be submitted, wait for a second and run; all of it is stored when it ends."""
    end = service.clock.now()
    start = end - timedelta(seconds=took)
    steps.add(service.storage, steps.submission(type, now=start - timedelta(seconds=1)))
    task = steps.claim_one(service.storage, now=start, wanted={type: 1})
    (steps.fail if fails else steps.succeed)(service.storage, task, end)


def shown(service: Service, path: str) -> str:
    """The text of a page that is read anew, without its markup."""
    return text_of(html(service, path))


def html(service: Service, path: str) -> str:
    """The HTML of a page that is read anew."""
    service.clock.move(2)
    answer = service.client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.text


def text_of(part: str) -> str:
    """The words of a piece of HTML."""
    return " ".join(unescape(re.sub(r"<script.*?</script>|<[^>]*>", " ", part, flags=re.DOTALL)).split())


def part(page: str, id: str) -> str:
    """The HTML from the element of this id on, as far as its own end tag if it nests none of its kind."""
    found = re.search(rf'<(\w+) [^>]*id="{re.escape(id)}".*?</\1>', page, flags=re.DOTALL)
    assert found, id
    return found[0]


def plot(page: str, id: str) -> dict[str, Any]:
    """The JSON of a figure."""
    found = re.search(rf'<figure id="{id}".*?<script type="application/json">(.*?)</script>', page, flags=re.DOTALL)
    assert found, id
    read: dict[str, Any] = json.loads(found[1])
    return read
