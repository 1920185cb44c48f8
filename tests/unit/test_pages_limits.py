"""Limits on the pages: shown as a gauge and in words, set by a form, and switched by buttons."""

import re
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import pytest
from werkzeug.test import TestResponse

from application.ports.limits import LimitedClaimRequest, TypeLimits
from application.ports.published_types import PublishedType
from domain.ids import HandlerId, TypeName
from domain.lease import Lease
from domain.limits import Limits, Override
from domain.task_type import TaskType
from entrypoints.http.pages.limits.words import ShownLimits, in_short, in_words, rate_in_words
from tests.unit.http_service import Service
from tests.unit.pages_service import (
    add,
    html,
    part,
    publish,
    renew_janitor,
    service_with_events,
    shown,
    text_of,
)

NOON = datetime(2026, 3, 4, 12, 0, 30, tzinfo=UTC)
ADD = "/dashboard/type/add"
HOSTILE = "<script>alert('\"&')\N{RIGHT-TO-LEFT OVERRIDE}"
HOSTILE_PATH = "/dashboard/type/%3Cscript%3Ealert('%22&')%E2%80%AE"


@pytest.fixture
def service() -> Service:
    """A service with a live type that declares nothing."""
    service = service_with_events(NOON)
    renew_janitor(service)
    publish(service, "a-handler", "add", "sub")
    return service


def declare(service: Service, **limits: Any) -> None:
    publish(service, "a-handler", TaskType(name=TypeName("add"), limits=Limits(**limits)), "sub")
    service.clock.move(2)


def post(service: Service, path: str, /, **form: Any) -> TestResponse:
    return service.client.post(path, data=form, headers={"Content-Type": "application/x-www-form-urlencoded"})


def chosen(service: Service, type: str = "add") -> Any:
    """The limits that are stored as set by an operator; None if none are."""
    with service.store.begin() as work:
        found = next(each for each in work.types.all(service.clock.now()) if each.type.name == type)
    return found.limits.override.limits if found.limits.override else None


def start(service: Service, number: int = 1) -> None:
    """Let tasks start within their limits."""
    now = service.clock.now()
    lease = Lease.granted(HandlerId("a-handler"), now, 1e6)
    service.storage.autocommit.claim_limited(lease, now, LimitedClaimRequest([TypeName("add")], number, 10**9))


def limits_section(service: Service) -> str:
    return part(html(service, ADD), "limits")


class TestGauge:
    def test_a_type_without_limits_says_so(self, service: Service):
        assert "start as soon as a child is free: there is no limit" in text_of(limits_section(service))

    def test_it_shows_how_many_run_of_those_that_may(self, service: Service):
        declare(service, at_once=4)
        add(service, number=5)
        start(service, 3)
        section = limits_section(service)
        assert '<meter min="0" max="4" value="3" aria-label="Tasks that run, of those that may">' in section
        assert "3 of 4 at once declared by the function" in text_of(section)

    def test_it_is_a_part_of_the_live_region(self, service: Service):
        declare(service, at_once=4)
        answer = service.client.get(ADD, headers={"Accept": "text/event-stream"}, buffered=False)
        with closing(answer):
            told = b"".join(islice(answer.iter_encoded(), 2)).decode()
        assert 'id="gauge"' in told
        assert "limits-form" not in told

    def test_none_at_once_has_no_bar(self, service: Service):
        declare(service, at_once=0)
        section = limits_section(service)
        assert "<meter" not in section
        assert "0 of 0 at once" in text_of(section)

    def test_a_limit_that_an_operator_set_says_what_it_replaces(self, service: Service):
        declare(service, at_once=4)
        post(service, f"{ADD}/limits", at_once="2")
        assert "0 of 2 at once set by an operator in place of 4, which the function declares" in text_of(
            limits_section(service)
        )

    def test_a_limit_that_is_lifted_says_so(self, service: Service):
        declare(service, at_once=4)
        post(service, f"{ADD}/limits", **{"lift.at_once": "yes"})
        assert "At once no limit set by an operator in place of 4" in text_of(limits_section(service))

    def test_a_burst_alone_is_no_limit(self, service: Service):
        declare(service, burst=4)
        post(service, f"{ADD}/limits", **{"lift.burst": "yes"})
        assert "there is no limit" in text_of(limits_section(service))


class TestRate:
    def test_it_is_shown_with_its_bursts(self, service: Service):
        declare(service, per_second=10, burst=20)
        assert "10 a second declared by the function , bursts of 20 declared" in text_of(limits_section(service))

    def test_bursts_that_nothing_gives_are_by_default(self, service: Service):
        declare(service, per_second=25)
        assert "bursts of 5 by default" in text_of(limits_section(service))

    def test_a_rate_that_is_used_up_says_when_the_next_may_start(self, service: Service):
        declare(service, per_second=0.01)
        add(service)
        start(service)
        section = limits_section(service)
        assert "36 an hour" in text_of(section)
        assert "the next may start at 2026-03-04 12:02:12 UTC" in text_of(section)
        assert limits_section(service) == section

    def test_a_burst_comes_before_the_wait(self):
        shown = ShownLimits(
            PublishedType(
                TaskType(name=TypeName("add")),
                True,
                limits=TypeLimits(Limits(per_second=0.1, burst=3), next_start=NOON + timedelta(seconds=25)),
            ),
            NOON,
        )
        assert shown.next_start == NOON + timedelta(seconds=5)

    @pytest.mark.parametrize(
        ("per_second", "words"),
        [
            (10, "10 a second"),
            (1, "1 a second"),
            (2.5, "2.5 a second"),
            (100_000, "100\N{NARROW NO-BREAK SPACE}000 a second"),
            (0.5, "30 a minute"),
            (1 / 6, "10 a minute"),
            (1 / 60, "1 a minute"),
            (0.16666, "10 a minute"),
            (1 / 3600, "1 an hour"),
            (1e-6, "0.0864 a day"),
        ],
    )
    def test_a_rate_in_words(self, per_second: float, words: str):
        assert rate_in_words(per_second) == words

    def test_limits_in_short(self):
        limits = Limits(at_once=4000, per_second=0.1)
        assert in_short(TypeLimits(limits, running_in_lanes={None: 3})) == "3/4\N{NARROW NO-BREAK SPACE}000, 6/min"
        assert in_words(limits) == "4\N{NARROW NO-BREAK SPACE}000 at once, 6 a minute"
        assert in_short(TypeLimits()) == in_words(Limits()) == ""


class TestLanes:
    def test_a_type_with_lanes_says_so(self, service: Service):
        declare(service, lane="user", at_once_per_lane=2)
        assert "Lanes take turns, by user ; 2 of each at once declared by the function" in text_of(
            limits_section(service)
        )

    def test_the_form_sets_the_limit_of_a_lane(self, service: Service):
        declare(service, lane="user", at_once_per_lane=2)
        post(service, f"{ADD}/limits", at_once_per_lane="5")
        assert chosen(service) == {"at_once_per_lane": 5}
        assert "Limits of add: 5 of a lane at once." in html(service, ADD)

    def test_a_type_without_lanes_has_no_field_for_them(self, service: Service):
        assert 'name="at_once_per_lane"' not in html(service, ADD)
        with service.store.begin() as work:
            work.limits.set(TypeName("add"), Override({"at_once_per_lane": 9}))
            work.commit()
        post(service, f"{ADD}/limits", at_once="3")
        assert chosen(service) == {"at_once_per_lane": 9, "at_once": 3}


class TestForm:
    def test_it_sets_limits(self, service: Service):
        answer = post(service, f"{ADD}/limits", at_once=" 3 ", per_second="0.5", burst="2", back=ADD)
        assert (answer.status_code, answer.location) == (303, ADD)
        assert chosen(service) == {"at_once": 3, "per_second": 0.5, "burst": 2}
        page = html(service, ADD)
        assert "Limits of add: 3 at once, 30 a minute." in page
        for name, value in {"at_once": "3", "per_second": "0.5", "burst": "2"}.items():
            assert re.search(rf'name="{name}" value="{re.escape(value)}"', page)

    def test_an_empty_field_leaves_a_limit_as_it_is_declared(self, service: Service):
        declare(service, at_once=4)
        post(service, f"{ADD}/limits", at_once="", per_second="", burst="")
        assert chosen(service) is None
        page = html(service, ADD)
        assert 'name="at_once" value="" placeholder="4"' in page
        assert "Empty: 4, as the function declares." in page
        assert 'name="per_second" value="" placeholder="no limit"' in page

    def test_a_box_lifts_a_declared_limit(self, service: Service):
        declare(service, at_once=4)
        box = 'type="checkbox" name="lift.at_once" value="yes"'
        assert f"{box}>" in html(service, ADD)
        answer = post(service, f"{ADD}/limits", **{"lift.at_once": "yes"})
        assert answer.status_code == 303
        assert chosen(service) == {"at_once": None}
        page = html(service, ADD)
        assert f"{box} checked>" in page
        assert "Limits of add: none." in page

    def test_a_limit_that_is_not_declared_needs_no_box(self, service: Service):
        assert 'name="lift.' not in html(service, ADD)

    def test_it_leaves_the_switches_as_they_are(self, service: Service):
        post(service, f"{ADD}/pause")
        post(service, f"{ADD}/refuse")
        post(service, f"{ADD}/limits", at_once="3")
        assert chosen(service) == {"paused": True, "accepting": False, "at_once": 3}
        post(service, f"{ADD}/limits")
        assert chosen(service) == {"paused": True, "accepting": False}

    @pytest.mark.parametrize(
        ("name", "text", "expected"),
        [
            ("at_once", "-1", "Must be a whole number from 0 to 1000000."),
            ("at_once", "2.5", "Must be a whole number from 0 to 1000000."),
            ("at_once", "many", "Must be a whole number from 0 to 1000000."),
            ("at_once", "1_0", "Must be a whole number from 0 to 1000000."),
            ("at_once", "\N{ARABIC-INDIC DIGIT THREE}", "Must be a whole number from 0 to 1000000."),
            ("at_once", "9" * 5000, "Must be a whole number from 0 to 1000000."),
            ("per_second", "0", "Must be a number from 1e-06 to 100000."),
            ("per_second", "nan", "Must be a number from 1e-06 to 100000."),
            ("burst", "0", "Must be a whole number from 1 to 1000000."),
        ],
    )
    def test_a_mistake_stands_at_its_field(self, service: Service, name: str, text: str, expected: str):
        post(service, f"{ADD}/limits", burst="7")
        answer = post(service, f"{ADD}/limits", **{"at_once": "3", name: text})
        assert answer.status_code == 422
        assert text_of(part(answer.text, f"limit-{name}-error")) == expected
        assert f'value="{text}"' in answer.text
        assert answer.text.count("aria-invalid") == answer.text.count("autofocus") == 1
        assert chosen(service) == {"burst": 7}

    def test_each_field_has_its_own_mistake(self, service: Service):
        answer = post(service, f"{ADD}/limits", at_once="x", per_second="y", burst="z", back=ADD)
        assert answer.text.count("aria-invalid") == 3
        assert answer.text.count("autofocus") == 1
        assert f'hx-sse:connect="{ADD}"' in answer.text

    def test_a_number_beside_a_checked_box_is_a_mistake(self, service: Service):
        declare(service, at_once=4)
        answer = post(service, f"{ADD}/limits", **{"at_once": "3", "lift.at_once": "yes"})
        assert answer.status_code == 422
        assert "Give a number or check “no limit”, not both." in part(answer.text, "limit-at_once-error")

    def test_what_was_set_can_be_removed(self, service: Service):
        declare(service, at_once=4)
        assert "Remove what was set" not in html(service, ADD)
        post(service, f"{ADD}/limits", at_once="3")
        post(service, f"{ADD}/pause")
        assert f'<button formaction="{ADD}/limits/remove"' in html(service, ADD)
        answer = post(service, f"{ADD}/limits/remove", at_once="nonsense", back=ADD)
        assert (answer.status_code, answer.location) == (303, ADD)
        assert chosen(service) is None
        assert "The limits of add are those that its function declares: 4 at once." in html(service, ADD)

    def test_an_unknown_type_has_no_limits_to_set(self, service: Service):
        for action in ("limits", "limits/remove", "pause", "accept"):
            assert post(service, f"/dashboard/type/nothing/{action}").status_code == 404

    def test_a_type_that_has_tasks_alone_has_no_form(self, service: Service):
        add(service, "gone")
        page = html(service, "/dashboard/type/gone")
        assert "limits-form" not in page
        assert 'id="limits"' not in page

    def test_what_a_user_wrote_is_text(self, service: Service):
        publish(service, "b-handler", HOSTILE)
        service.clock.move(2)
        answer = post(service, f"{HOSTILE_PATH}/limits", at_once=HOSTILE)
        assert answer.status_code == 422
        assert 'value="&lt;script&gt;alert(&#39;&#34;&amp;&#39;)\N{RIGHT-TO-LEFT OVERRIDE}"' in answer.text
        pages = [answer.text]
        for path in (HOSTILE_PATH, "/dashboard/types"):
            assert post(service, f"{HOSTILE_PATH}/pause").status_code == 303
            pages.append(html(service, path))
            assert '<span class="unseen-sign">U+202E</span> is paused' in pages[-1]
        assert all("<script>alert" not in page for page in pages)


class TestSwitches:
    def test_a_type_is_paused_and_resumed(self, service: Service):
        add(service, number=2)
        assert f'action="{ADD}/pause"' in limits_section(service)
        answer = post(service, f"{ADD}/pause", back=ADD)
        assert (answer.status_code, answer.location) == (303, ADD)
        page = html(service, ADD)
        assert "add is paused: nothing of it starts." in page
        assert "This type is paused. Nothing of it starts, and 2 wait." in text_of(part(page, "paused"))
        assert "Tasks do not start while the type is paused; there is no other limit" in text_of(part(page, "limits"))
        assert f'action="{ADD}/resume"' in page
        assert f'action="{ADD}/pause"' not in page
        post(service, f"{ADD}/resume", back=ADD)
        assert chosen(service) is None
        assert 'id="paused"' not in html(service, ADD)

    def test_a_type_accepts_no_more_tasks_and_then_again(self, service: Service):
        post(service, f"{ADD}/refuse")
        page = html(service, ADD)
        assert "This type accepts no tasks. Those that it has go on." in text_of(part(page, "not-accepting"))
        assert f'action="{ADD}/accept"' in page
        post(service, f"{ADD}/accept")
        assert chosen(service) is None
        assert 'id="not-accepting"' not in html(service, ADD)

    def test_a_switch_leaves_the_limits_as_they_are(self, service: Service):
        post(service, f"{ADD}/limits", at_once="3")
        for switch in ("pause", "refuse", "resume", "accept"):
            post(service, f"{ADD}/{switch}")
        assert chosen(service) == {"at_once": 3}

    def test_a_switch_can_be_pressed_twice(self, service: Service):
        for _ in range(2):
            assert post(service, f"{ADD}/pause").status_code == 303
        assert chosen(service) == {"paused": True}

    def test_a_type_of_which_none_may_run_at_once_is_resumed(self, service: Service):
        declare(service, at_once=4)
        post(service, f"{ADD}/limits", at_once="0")
        page = html(service, ADD)
        assert "This type is paused." in page
        post(service, f"{ADD}/resume")
        assert chosen(service) is None

    def test_a_type_that_declares_a_pause_stays_paused(self, service: Service):
        declare(service, at_once=0)
        post(service, f"{ADD}/resume", back=ADD)
        assert "add stays paused: its function declares that none may run at once." in html(service, ADD)

    def test_a_switch_reads_what_another_process_has_set(self, service: Service):
        service.client.get(ADD)
        with service.store.begin() as work:
            work.limits.set(TypeName("add"), Override({"at_once": 9}))
            work.commit()
        post(service, f"{ADD}/pause")
        assert chosen(service) == {"at_once": 9, "paused": True}


class TestOtherPages:
    def test_the_list_of_types_has_the_limits_in_short(self, service: Service):
        declare(service, at_once=4, per_second=10)
        post(service, f"{ADD}/refuse")
        add(service, number=3)
        start(service)
        page = html(service, "/dashboard/types")
        assert "live 1/4, 10/s not accepting" in text_of(part(page, "type-add"))

    def test_the_list_of_types_pauses_and_resumes(self, service: Service):
        row = part(html(service, "/dashboard/types"), "type-add")
        assert f'action="{ADD}/pause"' in row
        assert 'value="/dashboard/types"' in row
        assert 'aria-label="Pause add"' in row
        answer = post(service, f"{ADD}/pause", back="/dashboard/types")
        assert answer.location == "/dashboard/types"
        row = part(html(service, "/dashboard/types"), "type-add")
        assert "paused" in text_of(row)
        assert 'aria-label="Resume add"' in row

    def test_the_overview_shows_a_paused_type(self, service: Service):
        add(service)
        assert "paused" not in part(html(service, "/"), "type-add")
        post(service, f"{ADD}/pause")
        assert "add paused" in text_of(part(html(service, "/"), "type-add"))

    def test_the_overview_has_no_problem_with_tasks_that_a_limit_holds_back(self, service: Service):
        post(service, f"{ADD}/pause")
        add(service)
        service.clock.move(600)
        renew_janitor(service)
        assert "No problem is seen." in shown(service, "/")

    @pytest.mark.parametrize(
        ("limits", "started", "words"),
        [
            ({"at_once": 0}, 0, "the type is paused"),
            ({"at_once": 1}, 1, "as many of the type run as may"),
            ({"per_second": 0.001}, 1, "the rate of the type"),
        ],
    )
    def test_a_task_says_which_limit_it_waits_for(
        self, service: Service, limits: dict[str, Any], started: int, words: str
    ):
        declare(service, **limits)
        add(service, number=started + 1)
        start(service, started) if started else None
        link = f'<a href="{ADD}#limits">{words}</a>'
        assert link in part(html(service, "/dashboard/tasks"), f"task-{started + 1}")
        assert f"UTC</time>: {link}" in part(html(service, f"/dashboard/task/{started + 1}"), "now")

    def test_the_form_of_a_paused_type_says_that_a_task_of_it_waits(self, service: Service):
        post(service, f"{ADD}/pause")
        assert "This type is paused. A task of it waits until it is resumed" in shown(service, "/dashboard/submit/add")

    def test_the_form_of_a_type_that_accepts_no_tasks_says_so(self, service: Service):
        post(service, f"{ADD}/refuse")
        assert "This type accepts no tasks." in shown(service, "/dashboard/submit/add")

    def test_a_form_that_a_type_does_not_accept_keeps_what_was_typed(self, service: Service):
        post(service, f"{ADD}/refuse")
        answer = post(service, "/dashboard/submit/add", do="submit", json='{"typed": 1}')
        assert answer.status_code == 503
        assert "type add accepts no tasks for now" in answer.text
        assert "{&#34;typed&#34;: 1}" in answer.text
