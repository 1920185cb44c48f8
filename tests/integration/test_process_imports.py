"""Functions that change, or cannot be imported, while their executor is open."""

from collections.abc import Callable
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest

from adapters.executors.process.pool.executor import ProcessExecutor
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


OUR_NAMES = ("domain", "application", "adapters", "entrypoints")


def package(folder: Path, name: str, text: str) -> None:
    (folder / name).mkdir()
    (folder / name / "__init__.py").write_text(text)
    (folder / name / "json.py").write_text(f"{text}\ninside = WHOSE + '.json'\n")


def write_packages(folder: Path) -> Path:
    """Packages with the names of ours, and a file with functions that import them, at once and later."""
    for name in OUR_NAMES:
        package(folder, name, f"WHOSE = 'the {name} of the user'")
    (folder / "functions.py").write_text(
        "from dataclasses import dataclass\n"
        "import adapters, application, domain, entrypoints\n"
        "from application.json import inside\n"
        "from flask_tasks import Client, Progress, Retry, task\n"
        "@dataclass\n"
        "class Body: mass: float\n"
        "@task\n"
        "def one(body: Body, progress: Progress):\n"
        "    import domain.json\n"
        "    from entrypoints.json import WHOSE\n"
        "    progress(0.5)\n"
        "    return [*(each.WHOSE for each in (domain, application, adapters, entrypoints)), inside, WHOSE, body]\n"
        "@task\n"
        "def busy(): raise Retry('busy', delay=3)\n"
        "@task\n"
        "def fails(): return {}['no']\n"
    )
    return folder / "functions.py"


def test_packages_of_the_user_may_have_the_names_of_ours(opened: Callable[..., Driver], tmp_path: Path) -> None:
    driver = opened(str(write_packages(tmp_path)))
    theirs = [f"the {name} of the user" for name in ("domain", "application", "adapters", "entrypoints")]
    inside = ["the application of the user.json", "the entrypoints of the user"]
    for _ in range(2):
        assert driver.result("one", {"body": {"mass": 1}}) == [*theirs, *inside, {"mass": 1.0}]
    failure = driver.failure("busy")
    assert (failure.type, failure.delay) == ("Retry", 3.0)
    assert driver.failure("one", {"body": 1}).type == "InvalidArguments"
    traceback = driver.failure("fails").traceback
    assert traceback is not None
    assert traceback.count("File ") == 1


def test_packages_of_the_user_may_have_the_names_of_ours_in_the_working_directory(tmp_path: Path) -> None:
    write_packages(tmp_path)
    with closing(ProcessExecutor(["functions"], 1, directory=tmp_path)) as executor:
        assert Driver(executor).open().result("one", {"body": {"mass": 1}})[0] == "the domain of the user"


def test_installed_packages_may_have_the_names_of_ours(
    opened: Callable[..., Driver], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed, functions = tmp_path / "installed", tmp_path / "functions"
    installed.mkdir()
    functions.mkdir()
    write_packages(installed).rename(functions / "functions.py")
    monkeypatch.setenv("PYTHONPATH", str(installed))
    driver = opened(str(functions / "functions.py"))
    assert driver.result("one", {"body": {"mass": 1}})[0] == "the domain of the user"


def test_none_of_our_modules_has_a_name_that_a_user_may_give(opened: Callable[..., Driver], tmp_path: Path) -> None:
    file = tmp_path / "functions.py"
    file.write_text(
        "import sys\n"
        "from flask_tasks import task\n"
        "@task\n"
        "def lists(a: int = 1):\n"
        f"    return [each for each in sys.modules if each.partition('.')[0] in {OUR_NAMES}]\n"
    )
    assert opened(str(file)).result("lists") == []


def test_a_function_may_start_processes_of_multiprocessing(opened: Callable[..., Driver], tmp_path: Path) -> None:
    file = write_packages(tmp_path)
    file.write_text(
        file.read_text() + "def double(n): return n * 2, domain.WHOSE\n"
        "@task\n"
        "def many():\n"
        "    import multiprocessing\n"
        "    with multiprocessing.get_context('spawn').Pool(1) as pool: return pool.map(double, [1, 2])\n"
    )
    assert opened(str(file)).result("many") == [[2, "the domain of the user"], [4, "the domain of the user"]]
