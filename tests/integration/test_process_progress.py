"""Progress of runs in processes: much is reported as little, and the last word comes before the outcome."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from adapters.executors.process.ipc.memfd import anonymous_file
from adapters.executors.process.ipc.shared_page import SharedPage
from adapters.executors.process.pool.event_loop import EventLoop
from adapters.executors.process.pool.progress_watch import ProgressWatch
from application.ports.executor import Progressed
from domain.progress import Progress
from tests.executor_driver import Driver


def test_progress_that_is_reported_often_makes_few_events(driver: Driver, tmp_path: Path) -> None:
    hold = driver.start("chatters", {"times": 20_000, "path": str(tmp_path / "done")})
    last = Progressed(hold, Progress(1.0, "step 20000"))
    driver.until(lambda: last in driver.of(hold, Progressed))
    told = driver.of(hold, Progressed)
    assert len(told) < 100
    assert [each.progress.value for each in told] == sorted(each.progress.value for each in told)
    (tmp_path / "done").touch()
    driver.outcome(hold)


def test_the_last_progress_comes_before_the_outcome(driver: Driver, tmp_path: Path) -> None:
    (tmp_path / "done").touch()
    for _ in range(20):
        hold = driver.start("chatters", {"times": 100, "path": str(tmp_path / "done")})
        driver.outcome(hold)
        assert driver.of(hold)[-2] == Progressed(hold, Progress(1.0, "step 100"))


def test_progress_after_a_pause_is_reported(driver: Driver, tmp_path: Path) -> None:
    hold = driver.start("speaks", {"paths": [str(tmp_path / "one"), str(tmp_path / "two")]})

    def until_progress(value: float) -> None:
        driver.until(lambda: Progressed(hold, Progress(value)) in driver.of(hold))

    for number, name in enumerate(["one", "two"]):
        until_progress(number / 2)
        for _ in range(5):
            driver.received += driver.executor.events(0.1)  # long enough for the watch to have stopped
        (tmp_path / name).touch()
    driver.outcome(hold)
    assert len(driver.of(hold, Progressed)) == 3


def test_a_progress_watch_looks_once_however_often_a_note_is_announced() -> None:
    class CountingLoop(EventLoop):
        looks = 0

        def call_later(self, seconds: float, action: Callable[[], None]) -> None:
            self.looks += 1

    with closing(CountingLoop()) as loop, closing(SharedPage(anonymous_file())) as page:
        watch = ProgressWatch(page, loop, lambda _: None)
        for _ in range(3):
            watch.begin()
        assert loop.looks == 1
