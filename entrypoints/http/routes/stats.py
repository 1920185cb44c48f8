"""Route of the statistics: GET /stats."""

from datetime import timedelta
from typing import Any

from flask import Response
from marshmallow import ValidationError, fields
from marshmallow.validate import Length, Range

from application.use_cases.view_statistics import MAX_STEPS, StatisticsRequest
from domain.ids import TypeName
from domain.instants import LATEST
from entrypoints.http.access.needs import READ_ALL
from entrypoints.http.blueprint import Blueprint
from entrypoints.http.openapi.describe import error_responses, response
from entrypoints.http.requests.filters import MAX_NAME_CHARACTERS
from entrypoints.http.requests.parsing import Number, WholeNumber, WholeText
from entrypoints.http.requests.queries import StrictSchema, utc_time
from entrypoints.http.responses.json_response import json_response
from entrypoints.http.responses.stats_json import stats_json
from entrypoints.http.services import Services

MINUTE_SECONDS, DAY_SECONDS = 60, 86_400
SERIES_EXAMPLE = {
    "submitted": [12, 9, 0],
    "started": [12, 8, 1],
    "done": [11, 7, 2],
    "failed": [0, 1, 0],
    "cancelled": [0, 0, 0],
    "retried": [1, 0, 0],
    "lost": [0, 0, 0],
    "wait_median": [0.0049, 0.0052, 0.0045],
    "wait_p99": [0.0312, 0.41, 0.0053],
    "run_median": [1.834, 2.012, 1.542],
    "run_p99": [11.92, 6.613, 1.97],
}
EXAMPLE = {
    "since": 1668797880,
    "until": 1668798060,
    "step": 60,
    "total": SERIES_EXAMPLE,
    "types": [{"type": "mov3d"} | SERIES_EXAMPLE],
}
VIEWED = response(200, "The statistics.", "Stats", EXAMPLE) | error_responses(
    {422: "A parameter is unknown or out of bounds, or the period has too many steps."}
)


def _check_whole_minutes(seconds: int) -> None:
    if seconds % MINUTE_SECONDS:
        raise ValidationError(f"Must be a multiple of {MINUTE_SECONDS}.")


class StatsQuery(StrictSchema):
    """The query of the statistics."""

    since = Number(
        validate=Range(0, LATEST.timestamp()),
        metadata={
            "description": "Begin of the period, in Unix seconds, such as 1668794340. "
            "The default is an hour before `until`."
        },
    )
    until = Number(
        validate=Range(0, LATEST.timestamp()),
        metadata={"description": "End of the period, in Unix seconds, such as 1668797946. The default is now."},
    )
    step = WholeNumber(
        validate=[Range(MINUTE_SECONDS, DAY_SECONDS), _check_whole_minutes],
        metadata={
            "description": f"Seconds of a step, such as 300; a period has at most {MAX_STEPS} steps. The default is "
            "60 for an hour, 300 for a day, and 3600 for a fortnight.",
            "multipleOf": MINUTE_SECONDS,
        },
    )
    type = fields.String(
        validate=[Length(1, MAX_NAME_CHARACTERS), WholeText(r"^[^\x00]+$")],
        metadata={"description": "Only tasks of this type, such as add."},
    )
    histograms = fields.Boolean(
        truthy={"true"},
        falsy={"false"},
        metadata={
            "description": "Whether to add the histograms of wait and run times, which can be added up.",
            "default": False,
        },
    )


def add_stats(stats: Blueprint, services: Services) -> None:
    """Add the route."""
    view = services.view_statistics()

    @stats.operation("GET", "/stats", needs=READ_ALL, query=StatsQuery(), responses=VIEWED)
    def view_stats(query: dict[str, Any]) -> Response:
        """View statistics

        The numbers of tasks that were submitted, started, finished, retried and lost in each step of a period, and how
        long they waited and ran. The period is extended to whole steps. A fortnight is kept, however long tasks are.
        """
        statistics = view(
            StatisticsRequest(
                since=utc_time(query["since"]) if "since" in query else None,
                until=utc_time(query["until"]) if "until" in query else None,
                step=timedelta(seconds=query["step"]) if "step" in query else None,
                type=TypeName(query["type"]) if "type" in query else None,
            )
        )
        return json_response(stats_json(statistics, with_histograms=query.get("histograms", False)))
