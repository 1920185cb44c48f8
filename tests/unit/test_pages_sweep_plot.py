"""The plot of a batch: scalars of the results over swept arguments, read within bounds, and only once."""

import json
import re
from math import nan
from typing import Any

import pytest
from werkzeug.datastructures import MultiDict

from application.use_cases import read_results
from entrypoints.http.pages import batch_points
from entrypoints.http.pages.plots import Axis, Plot
from entrypoints.http.pages.results.points import MAX_NAMES, Points
from entrypoints.http.pages.results.sweep_plot import Choice, SweepPlot, sweep_plot
from tests import steps
from tests.unit.http_service import Service
from tests.unit.pages_service import html, text_of

BATCH = "/dashboard/batch/1"


def points_of(*tasks: tuple[Any, Any]) -> Points:
    points = Points()
    for args, result in tasks:
        points.add(json.dumps(args), json.dumps(result))
    return points


def drawn(points: Points, **choice: Any) -> SweepPlot:
    found = sweep_plot(points, Choice(**choice))
    assert found
    return found


def plot(page: str) -> dict[str, Any]:
    """The JSON of the figure of the batch."""
    found = re.search(r'<figure class="plot" id="batch-plot".*?json">(.*?)</script>', page, re.DOTALL)
    assert found
    read: dict[str, Any] = json.loads(found[1])
    return read


def series(plot: Plot) -> dict[str, list[float | None]]:
    return {each.name: [*each.values] for each in plot.series}


class TestPoints:
    def test_scalars_have_the_paths_of_their_places(self) -> None:
        result = {"times": [5, 6, 7, 8, 9], "range": 5, "ok": True, "end": {"x": 1.5}, "name": "a", "none": None}
        points = points_of(({"dt": 1, "to": {"x": 2}, "drag": True, "name": "b", "r": [1]}, result))
        assert points.arguments == {"dt": [1.0], "to.x": [2.0], "drag": [True], "name": ["b"]}
        assert points.values == {"$.times.length": [5.0], "$.times[-1]": [9.0], "$.range": [5.0], "$.end.x": [1.5]}
        assert points.measures == ["$.range", "$.end.x", "$.times[-1]", "$.times.length"]

    def test_items_of_short_lists_and_the_last_ones_of_long_lists_are_numbers(self) -> None:
        points = points_of(({}, {"v": [1, 2], "path": [[0, 0]] * 5 + [[3, 4]]}))
        assert points.measures[:4] == ["$.v[0]", "$.v[1]", "$.path[-1][0]", "$.path[-1][1]"]
        assert (points.values["$.v[1]"], points.values["$.path[-1][1]"]) == ([2.0], [4.0])

    def test_a_number_alone_is_the_result(self) -> None:
        assert points_of(({}, 7)).values == {"$": [7.0]}

    def test_tasks_without_a_scalar_have_gaps(self) -> None:
        points = points_of(({"a": 1}, {"x": 1}), ({"b": 2}, {"y": 2}), ({"a": 3}, {"x": 3}))
        assert points.arguments == {"a": [1.0, None, 3.0], "b": [None, 2.0, None]}
        assert points.values == {"$.x": [1.0, None, 3.0], "$.y": [None, 2.0, None]}

    def test_swept_arguments_have_several_values(self) -> None:
        points = points_of(({"a": 1, "b": 1, "c": "x"}, 1), ({"a": 2, "b": 1, "c": "y"}, 2))
        assert (points.swept, points.swept_numbers) == (["a", "c"], ["a"])

    @pytest.mark.parametrize("result", ["[" * 30_000 + "]" * 30_000, "1" * 4000, '"text"', "nonsense"])
    def test_odd_results_give_no_numbers(self, result: str) -> None:
        points = Points()
        points.add("{}", result)
        assert (points.count, points.values) == (1, {})

    def test_many_scalars_are_bounded(self) -> None:
        points = points_of(({f"a{n}": n for n in range(1000)}, {f"{'x' * 50 * n}": n for n in range(100)}))
        assert len(points.arguments) == MAX_NAMES
        assert max(map(len, points.values)) <= 100


class TestPlot:
    GRID = tuple(({"dt": dt, "mass": mass}, {"range": dt * mass}) for mass in (2, 1) for dt in (3, 1, 2))

    def test_the_first_swept_argument_is_x_and_the_next_makes_series(self) -> None:
        found = drawn(points_of(*self.GRID))
        assert (found.x, found.y, found.by, found.points) == ("dt", "$.range", "mass", 6)
        assert (found.plot.xs, found.plot.form) == ([1, 2, 3], "line")
        assert series(found.plot) == {"mass=1": [1, 2, 3], "mass=2": [2, 4, 6]}

    def test_axes_and_series_can_be_chosen(self) -> None:
        found = drawn(points_of(*self.GRID), x="mass", by="dt")
        assert (found.plot.x.name, [*series(found.plot)]) == ("mass", ["dt=1", "dt=2", "dt=3"])
        assert drawn(points_of(*self.GRID), x="unknown", y="unknown", by="unknown").x == "dt"

    def test_points_of_one_x_are_not_joined(self) -> None:
        found = drawn(points_of(*self.GRID), by="-")
        assert (found.by, found.plot.form, found.plot.xs) == (None, "points", [1, 1, 2, 2, 3, 3])
        assert series(found.plot) == {"$.range": [2, 1, 4, 2, 6, 3]}

    def test_texts_and_truths_make_series(self) -> None:
        found = drawn(points_of(*(({"dt": dt, "drag": drag}, dt) for drag in (True, False) for dt in (1, 2))))
        assert [*series(found.plot)] == ["drag=false", "drag=true"]

    def test_values_that_are_nearly_the_same_make_a_series_each(self) -> None:
        seeds = (20260101, 20260102, 0.1 + 0.2, 0.3)
        points = points_of(*(({"dt": dt, "seed": seed}, seed + dt) for seed in seeds for dt in (1, 2)))
        found = drawn(points, x="dt", by="seed")
        assert [*series(found.plot)] == ["seed=0.3", "seed=0.30000000000000004", "seed=20260101", "seed=20260102"]
        assert (found.points, found.hidden) == (8, 0)

    def test_seeds_beyond_what_doubles_tell_apart_make_a_series_each(self) -> None:
        seeds = [2**53 + n for n in range(3)]
        points = points_of(*(({"dt": dt, "seed": seed}, dt) for seed in seeds for dt in (1, 2)))
        found = drawn(points, x="dt", by="seed")
        assert [*series(found.plot)] == [f"seed={seed}" for seed in seeds]

    def test_numbers_that_no_axis_has_a_place_for_are_left_out(self) -> None:
        points = points_of(*(({"n": n}, n) for n in (-(10**400), 1, 2, 3)))
        found = drawn(points).plot
        assert ([*found.xs], series(found)) == ([1, 2, 3], {"$": [1, 2, 3]})

    def test_the_table_shows_whole_numbers_with_all_of_their_digits(self) -> None:
        assert [Axis().text(value) for value in (20260101.0, 1e20, 0.1 + 0.2)] == ["20260101", "1e+20", "0.3"]

    def test_missing_tasks_leave_gaps_that_lines_lead_over(self) -> None:
        found = drawn(points_of(*self.GRID[:4], self.GRID[5]))
        assert series(found.plot)["mass=1"] == [None, 2, 3]
        assert found.plot.spec["spans"] is True

    def test_logarithmic_axes_leave_out_what_is_not_above_zero(self) -> None:
        points = points_of(*(({"n": n}, n - 2) for n in range(4)))
        found = drawn(points, log=frozenset("y"))
        assert (found.plot.xs, found.points) == ([3], 1)

    def test_more_series_than_colours_are_left_out_and_told(self) -> None:
        points = points_of(*(({"dt": dt, "n": n}, dt) for dt in (1, 2) for n in range(20)))
        assert drawn(points).by is None
        assert drawn(points, by="n").hidden == 12

    def test_many_points_are_thinned(self) -> None:
        found = drawn(points_of(*(({"n": n}, n % 7) for n in range(5000))))
        assert (found.points, found.is_thinned) == (5000, True)
        assert len(found.plot.xs) <= 2000

    @pytest.mark.parametrize(
        "tasks",
        [(), (({"a": 1}, 1), ({"a": 1}, 2)), (({"a": 1}, "x"), ({"a": 2}, "y")), (({"a": "x"}, 1), ({"a": "y"}, 2))],
    )
    def test_nothing_to_draw_is_no_plot(self, tasks: Any) -> None:
        assert sweep_plot(points_of(*tasks), Choice()) is None

    def test_numbers_of_the_figure_are_json(self) -> None:
        found = drawn(points_of(*self.GRID))
        assert nan not in json.loads(json.dumps(found.plot.spec, allow_nan=False))["x"]["values"]

    def test_an_address_names_the_choices(self) -> None:
        query = MultiDict([("x", "a"), ("y", ""), ("log", "x"), ("log", "z")])
        assert Choice.of(query) == Choice("a", None, None, frozenset("x"))


@pytest.fixture
def service() -> Service:
    """A batch of four tasks, two of which are done."""
    service = Service(has_own_app=True)
    tasks = [{"args": {"n": n}} for n in range(4)]
    assert service.client.post("/batches", json={"tasks": tasks}).status_code == 201
    for n in range(2):
        service.clock.move(1)
        service.succeed(json.dumps({"square": n * n}))
    return service


class TestPage:
    def test_the_page_draws_the_done_tasks(self, service: Service) -> None:
        page = html(service, BATCH)
        assert plot(page)["x"] == {"name": "n", "values": [0, 1]}
        assert "2 points of 2 done tasks" in text_of(page)
        assert '<option value="$.square" selected>' in page

    def test_an_address_chooses_the_axes(self, service: Service) -> None:
        assert plot(html(service, f"{BATCH}?log=x"))["x"] == {"name": "n", "log": True, "values": [1]}

    def test_a_batch_without_a_sweep_has_no_plot(self) -> None:
        service = Service(has_own_app=True)
        service.client.post("/batches", json={"tasks": [{}, {}]})
        service.succeed("1")
        assert "batch-plot" not in html(service, BATCH)

    def test_a_done_task_is_read_once(self, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
        added: list[str] = []
        add = Points.add

        def note(self: Points, args: str, result: str) -> None:
            added.append(args)
            add(self, args, result)

        monkeypatch.setattr(Points, "add", note)
        for _ in range(3):
            html(service, BATCH)
        service.clock.move(60)
        service.succeed('{"square": 4}')
        assert plot(html(service, BATCH))["x"]["values"] == [0, 1, 2]
        assert added == ['{"n":0}', '{"n":1}', '{"n":2}']

    def test_an_unchanged_batch_is_not_read_again(self, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
        html(service, BATCH)
        monkeypatch.setattr(read_results.ReadResults, "__call__", None)
        assert "batch-plot" in html(service, BATCH)

    def test_a_task_that_takes_the_place_of_a_deleted_one_is_read(self, service: Service) -> None:
        html(service, BATCH)
        service.client.delete("/task/1")
        service.succeed('{"square": 4}')
        assert plot(html(service, BATCH))["x"]["values"] == [0, 1, 2]

    def test_an_end_that_is_stored_late_is_found(self, service: Service) -> None:
        service.clock.move(60)
        late, end = service.claim(), service.clock.now()
        service.clock.move(60)
        service.succeed('{"square": 9}')
        html(service, BATCH)
        steps.succeed(service.storage, late, end, '{"square": 4}')
        assert plot(html(service, BATCH))["x"]["values"] == [0, 1, 2, 3]

    def test_large_results_are_not_read_and_told(self, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(read_results, "MAX_TASK_BYTES", 25)
        service.succeed('{"square": 4, "more": "xxxxxxxxxx"}')
        page = html(service, BATCH)
        assert "2 points of 2 done tasks" in text_of(page)
        assert "1 more have arguments and results" in text_of(page)

    def test_a_large_batch_is_read_in_pages_up_to_a_bound(
        self, service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(read_results, "PAGE_TASKS", 1)
        monkeypatch.setattr(batch_points, "MAX_TASKS", 3)
        for n in (2, 3):
            service.succeed(json.dumps({"square": n * n}))
        assert "3 points of 3 done tasks, the first ones that were done" in text_of(html(service, BATCH))

    def test_few_batches_are_kept(self, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
        find = batch_points.FindPlot(service.container)
        for id in range(10):
            find._of(id)  # type: ignore[arg-type]
        assert [*find._known] == [6, 7, 8, 9]
