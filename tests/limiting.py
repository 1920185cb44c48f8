"""Steps over a storage that the tests of limits share."""

from collections.abc import Sequence
from typing import Any

from application.ports.limits import LimitedClaim, LimitedClaimRequest
from application.ports.published_types import PublishedType
from domain.ids import HandlerId, TypeName
from domain.lease import Lease
from domain.limits import Limits, Override
from domain.settlement import Settlement
from domain.task_type import TaskType
from tests.steps import ADD, HANDLER, NOW, at
from tests.storage import Storage

REPORT = TypeName("report")


def publish(storage: Storage, type: str = ADD, handler: str = HANDLER, **limits: Any) -> None:
    with storage.begin() as work:
        work.types.publish(HandlerId(handler), [TaskType(name=TypeName(type), limits=Limits(**limits))], at(3600))
        work.commit()


def override(storage: Storage, type: str = ADD, **limits: Any) -> None:
    with storage.begin() as work:
        work.limits.set(TypeName(type), Override(limits))
        work.commit()


def remove_override(storage: Storage, type: str = ADD) -> None:
    with storage.begin() as work:
        work.limits.remove(TypeName(type))
        work.commit()


def known(storage: Storage, type: str = ADD) -> PublishedType:
    with storage.begin() as work:
        return next(each for each in work.types.all(NOW) if each.type.name == type)


def claim_limited(
    storage: Storage,
    limit: int = 100,
    types: Sequence[str] = (ADD,),
    seconds: float = 0,
    settled: Sequence[Settlement] = (),
    max_bytes: int = 10**9,
) -> LimitedClaim:
    lease = Lease.granted(HANDLER, at(seconds), 30)
    request = LimitedClaimRequest([TypeName(type) for type in types], limit, max_bytes)
    return storage.autocommit.claim_limited(lease, at(seconds), request, settled)
