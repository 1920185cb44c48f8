"""The SQL texts of all that is stored, one module for each port. Most are named after the method that sends them.

The clock, the wake-ups, the migration and the session settings have SQL of their own.
"""

from adapters.postgres.statements.claim import CLAIM
from adapters.postgres.statements.cleaning import DELETE_EXPIRED, FOLD_COUNTS
from adapters.postgres.statements.deliveries import CLAIM_DELIVERIES, DELIVERY, SETTLE_DELIVERY
from adapters.postgres.statements.listing import COUNTS, FIRST_CREATED, PAGE, PAGE_BY_TERM, PAGE_BY_TYPE_AND_STATUS
from adapters.postgres.statements.published_types import (
    ALL_TYPES,
    FORGET_DEAD,
    NO_LOCK_WAIT,
    PROCESSES,
    PUBLISH_HANDLER,
    PUBLISH_TYPES,
    RENEW_HANDLER,
    SCHEMAS_ELSEWHERE,
    WITHDRAW,
)
from adapters.postgres.statements.queue import (
    HELD_BY,
    LAPSED,
    LOST,
    RECORD_LATE_LOGS,
    RENEW,
    REPORT,
    RUNNING_UNDER,
    SETTLE,
    SETTLE_ATTEMPTS,
    SETTLED,
    TRY_WRITE,
    UP_SINCE,
)
from adapters.postgres.statements.schedules import (
    DUE_SCHEDULES,
    LOCK_SCHEDULES,
    NEXT_AFTER,
    REMOVE_SCHEDULES,
    REVIEW_SCHEDULES,
    SAVE_SCHEDULES,
)
from adapters.postgres.statements.tasks import (
    ADD,
    ADD_WITH_KEYS,
    ATTEMPTS,
    GET,
    GET_MANY,
    KEY_OWNERS,
    LOCK,
    REMOVE,
    SAVE,
    VERSIONS,
)

PREPARED = (
    ADD,
    ADD_WITH_KEYS,
    GET,
    GET_MANY,
    VERSIONS,
    DELIVERY,
    CLAIM,
    RENEW,
    LOST,
    REPORT,
    SETTLE,
    LAPSED,
    RENEW_HANDLER,
)
"""The hot statements: each is sent again and again over the same connection."""

__all__ = [
    "ADD",
    "ADD_WITH_KEYS",
    "ALL_TYPES",
    "ATTEMPTS",
    "CLAIM",
    "CLAIM_DELIVERIES",
    "COUNTS",
    "DELETE_EXPIRED",
    "DELIVERY",
    "DUE_SCHEDULES",
    "FIRST_CREATED",
    "FOLD_COUNTS",
    "FORGET_DEAD",
    "GET",
    "GET_MANY",
    "HELD_BY",
    "KEY_OWNERS",
    "LAPSED",
    "LOCK",
    "LOCK_SCHEDULES",
    "LOST",
    "NEXT_AFTER",
    "NO_LOCK_WAIT",
    "PAGE",
    "PAGE_BY_TERM",
    "PAGE_BY_TYPE_AND_STATUS",
    "PREPARED",
    "PROCESSES",
    "PUBLISH_HANDLER",
    "PUBLISH_TYPES",
    "RECORD_LATE_LOGS",
    "REMOVE",
    "REMOVE_SCHEDULES",
    "RENEW",
    "RENEW_HANDLER",
    "REPORT",
    "REVIEW_SCHEDULES",
    "RUNNING_UNDER",
    "SAVE",
    "SAVE_SCHEDULES",
    "SCHEMAS_ELSEWHERE",
    "SETTLE",
    "SETTLED",
    "SETTLE_ATTEMPTS",
    "SETTLE_DELIVERY",
    "TRY_WRITE",
    "UP_SINCE",
    "VERSIONS",
    "WITHDRAW",
]
