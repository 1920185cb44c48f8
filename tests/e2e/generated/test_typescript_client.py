"""A client of the types that openapi-typescript makes of the OpenAPI document: it compiles strictly, and it works."""

import json
import shutil
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.e2e.generated.conftest import FOLDER, example
from tests.e2e.generated.functions import NAMES
from tests.e2e.service import Service
from tests.node import NODE, installed_packages, run

PROGRAM = """
import createClient from "openapi-fetch";
import type { paths } from "./schema.js";
declare const process: { argv: string[] };
const client = createClient<paths>({ baseUrl: process.argv[2]! });
const types: unknown[] = [];
"""
"""Start of a program that submits a task of every function."""


@pytest.fixture(scope="session")
def modules() -> Path:
    """The packages of package-lock.json, installed beside it unless they are there."""
    return installed_packages(FOLDER)


@pytest.fixture(scope="module")
def folder(modules: Path, document: Path, service: Service, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the generated types and the programs, which have been compiled without an error."""
    folder = tmp_path_factory.mktemp("typescript")
    for name in ("calls.ts", "package.json", "tsconfig.json"):
        shutil.copy(FOLDER / name, folder)
    (folder / "node_modules").symlink_to(modules)
    (folder / "names.ts").write_text("".join([PROGRAM, *map(submission, NAMES), "console.log(JSON.stringify(types));"]))
    (folder / "page.ts").write_text(f"{example('ts', service)}console.log(page.data?.tasks[0]?.id === data.id);")
    run(str(NODE), modules / "openapi-typescript/bin/cli.js", document, "--output", "schema.d.ts", folder=folder)
    run(str(NODE), modules / "typescript/bin/tsc", folder=folder)
    return folder


def submission(name: str) -> str:
    path = json.dumps(f"/task/new/{quote(name)}")
    return f'types.push((await client.POST({path}, {{ body: {{ n: 1, kind: "b", Kind: null }} }})).data?.type);\n'


def test_every_function_keeps_its_operation(folder: Path, service: Service):
    assert json.loads(run(str(NODE), "names.js", str(service.client.base_url), folder=folder)) == NAMES


def test_every_call_compiles_and_works(folder: Path, service: Service):
    run(str(NODE), "calls.js", str(service.client.base_url), folder=folder)


def test_the_page_of_the_docs_compiles_and_works(folder: Path):
    assert run(str(NODE), "page.js", folder=folder) == "done 3\ntrue\n"
