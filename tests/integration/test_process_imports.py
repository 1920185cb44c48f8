"""Functions that change, or cannot be imported, while their executor is open."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from application.ports.executor import Described, Unusable
from tests.executor_driver import Driver


def test_functions_that_changed_are_described_again(opened: Callable[..., Driver], tmp_path: Path) -> None:
    file = tmp_path / "functions.py"
    file.write_text("import os\nfrom flask_tasks import task\n@task\ndef one(): os._exit(1)\n")
    driver = opened(str(file))
    file.write_text("from flask_tasks import task\n@task\ndef one(): return 1\n@task\ndef two(): return 2\n")
    driver.run("one")
    assert driver.result("two") == 2
    described = [each for each in driver.received if isinstance(each, Described)]
    assert [[each.name for each in one.types] for one in described] == [["one"], ["one", "two"]]


def test_functions_that_are_broken_later_are_tried_again_until_they_are_good(
    opened: Callable[..., Driver], tmp_path: Path
) -> None:
    file = tmp_path / "functions.py"
    good = "import os\nfrom flask_tasks import task\n@task\ndef one(code=0): return os._exit(code) if code else 1\n"
    file.write_text(good)
    driver = opened(str(file))
    file.write_text("nonsense, as it stands in the middle of a deployment")
    driver.run("one", {"code": 1})
    assert driver.executor.free == 0
    driver.executor.events(0.5)
    assert driver.executor.free == 0, "nothing is free while it cannot be imported"
    file.write_text(good)
    assert driver.result("one") == 1
    assert not [each for each in driver.received if isinstance(each, Unusable)]


def test_functions_that_cannot_be_described_at_first_are_asked_again(
    opened: Callable[..., Driver], tmp_path: Path
) -> None:
    file = tmp_path / "functions.py"
    file.write_text("import os\nfrom flask_tasks import task\n@task\ndef one(): os._exit(1)\n")
    driver = opened(str(file))
    file.write_text(
        "import os, pathlib\n"
        "from flask_tasks import task\n"
        f"tried = pathlib.Path({str(tmp_path / 'tried')!r})\n"
        "class Odd:\n"
        "    def __get_pydantic_core_schema__(source, handler):\n"
        "        if not tried.exists():\n"
        "            tried.touch()\n"
        "            os._exit(1)\n"
        "        return handler(int)\n"
        "@task\n"
        "def two(a: Odd = 2): return a\n"
    )
    driver.run("one")
    assert driver.result("two") == 2
    *_, last = [each for each in driver.received if isinstance(each, Described)]
    assert [each.name for each in last.types] == ["two"]


def test_a_child_that_dies_again_and_again_is_replaced_ever_more_seldom(
    opened: Callable[..., Driver], tmp_path: Path
) -> None:
    file, log = tmp_path / "functions.py", tmp_path / "log"
    file.write_text(
        f"import time, os\nopen({str(log)!r}, 'a').write(f'{{time.monotonic()}} ')\n"
        "from flask_tasks import task\n@task\ndef one(): os._exit(1)\n"
    )
    driver = opened(str(file))
    file.write_text(file.read_text() + "os._exit(1)\n")
    driver.run("one")
    driver.until(lambda: len(log.read_text().split()) >= 5)
    times = [float(each) for each in log.read_text().split()]
    second, third, fourth = (after - before for before, after in pairwise(times[1:]))
    assert second > 0.1
    assert third > 0.2
    assert fourth > 0.4


@pytest.mark.parametrize(
    ("code", "how"),
    [
        ("import os; os._exit(4)", "ended with exit code 4"),
        ("import os; os.kill(os.getpid(), 9)", "was killed by SIGKILL"),
    ],
)
def test_an_import_that_ends_its_process_is_reported(
    opened: Callable[..., Driver], tmp_path: Path, code: str, how: str
) -> None:
    (tmp_path / "functions.py").write_text(code)
    (unusable,) = opened(str(tmp_path / "functions.py")).received
    assert unusable == Unusable(f"the tasks cannot be imported: the process that tried {how}")


def test_an_import_that_was_killed_is_tried_again(opened: Callable[..., Driver], tmp_path: Path) -> None:
    first = tmp_path / "first"
    (tmp_path / "functions.py").write_text(
        "import os, signal\n"
        "from flask_tasks import task\n"
        f"if not os.path.exists({str(first)!r}):\n"
        f"    open({str(first)!r}, 'w').close()\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "@task\ndef f(): return 7\n"
    )
    driver = opened(str(tmp_path / "functions.py"))
    assert [type(each) for each in driver.received] == [Described]
    assert driver.result("f") == 7
