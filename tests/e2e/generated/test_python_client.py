"""A client that openapi-python-client makes of the OpenAPI document: it is complete, type-checked, and it works."""

import importlib
import os
import pkgutil
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import quote

import pytest

from tests.e2e.generated.conftest import FOLDER, example
from tests.e2e.generated.functions import NAMES
from tests.e2e.service import Service


def run(*command: str | Path, folder: Path) -> str:
    """Run a command of the environment in the folder of the client. Its output; the test fails with it."""
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(folder),
        "MYPYPATH": str(folder),
    }
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout.strip()


@pytest.fixture(scope="module")
def folder(document: Path) -> Path:
    """The folder with the package, which the generator has made without a word of complaint."""
    arguments = ("--path", document, "--output-path", "generated_client", "--meta", "none")
    said = run("openapi-python-client", "generate", *arguments, folder=document.parent)
    assert said == "Generating generated_client"
    return document.parent


def model_of(module: ModuleType) -> Any:
    """The class of the arguments of a function."""
    annotation = module._get_kwargs.__annotations__["body"]
    return annotation if isinstance(annotation, type) else annotation.__args__[0]


@pytest.fixture(scope="module")
def operations(folder: Path) -> Iterator[dict[str, ModuleType]]:
    """The modules of the functions that take a number, by their paths."""
    sys.path.insert(0, str(folder))
    package = importlib.import_module("generated_client.api.functions")
    names = (each.name for each in pkgutil.iter_modules(package.__path__))
    modules = [importlib.import_module(f"{package.__name__}.{name}") for name in names]
    numeric = (module for module in modules if "n" in model_of(module).__annotations__)
    yield {module._get_kwargs(body=model_of(module)(1))["url"]: module for module in numeric}
    sys.path.remove(str(folder))


def test_every_function_keeps_its_operation_and_a_class_of_its_own(operations: dict[str, ModuleType], service: Service):
    assert set(operations) == {f"/task/new/{quote(name)}" for name in NAMES}
    assert len({*map(model_of, operations.values())}) == len(NAMES)
    with importlib.import_module("generated_client").Client(base_url=str(service.client.base_url)) as client:
        for number, name in enumerate(NAMES):
            module = operations[f"/task/new/{quote(name)}"]
            task = module.sync(client=client, body=model_of(module)(number))
            assert (task.type_, task.args.to_dict()) == (name, {"n": number})


def test_every_call_passes_the_type_checker(folder: Path, service: Service):
    (folder / "page.py").write_text(example("python", service))
    shutil.copy(FOLDER / "calls.py", folder)
    run(sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", "calls.py", "page.py", folder=folder)


def test_every_call_works(folder: Path, service: Service):
    run(sys.executable, FOLDER / "calls.py", str(service.client.base_url), folder=folder)


def test_the_page_of_the_docs_works(folder: Path, service: Service):
    program = f"{example('python', service)}\nprint(page.tasks[0].id == task.id)"
    assert run(sys.executable, "-c", program, folder=folder) == "done 3\nTrue"
