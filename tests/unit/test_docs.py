"""The documents agree with the code."""

import re
from dataclasses import fields
from typing import Any

from domain.status import RULES
from entrypoints.settings import VARIABLES, Settings
from tests.conftest import ROOT
from tests.e2e.examples import blocks

README = (ROOT / "README.md").read_text()
ARCHITECTURE = (ROOT / "ARCHITECTURE.md").read_text()


def test_the_readme_lists_every_variable_with_its_default():
    rows = dict(re.findall(r"^\| `([A-Z_]+)` \| .* \| (.*) \|$", README, re.MULTILINE))
    assert set(rows) == {*VARIABLES_BY_NAME, *OF_THE_CLIENT, "DATABASE_URL_FILE", "WEBHOOK_SECRET_FILE"}
    for field in fields(Settings):
        default: Any = field.default
        if type(default) in (int, float) and field.name != "handler_concurrency":
            assert rows[field.name.upper()].startswith(f"{default:g}" if default < 1e6 else str(default))


def test_compose_passes_on_every_variable_and_the_docs_say_so():
    rerouted = set(re.findall(r"^      ([A-Z_]+):", (ROOT / "docker-compose.yml").read_text(), re.MULTILINE))
    ours = {each for each in rerouted if not each.startswith("POSTGRES_")}
    assert ours == {*VARIABLES_BY_NAME, *OF_THE_CLIENT} - {"HOST", "PORT"}
    assert rerouted <= set(re.findall(r"`([A-Z_]+)`", (ROOT / "docs/deploy.md").read_text())) | {
        "POSTGRES_USER",
        "POSTGRES_DB",
    }


def test_every_file_that_a_document_links_to_is_there():
    for document in (ROOT / "README.md", ROOT / "ARCHITECTURE.md", *(ROOT / "docs").glob("*.md")):
        for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name} links to {target}"


def test_every_file_that_the_architecture_names_is_there():
    for path in re.findall(r"`((?:domain|application|adapters|entrypoints|tests)/[\w/.]+)`", ARCHITECTURE):
        assert (ROOT / path).exists(), path


def test_every_test_that_a_promise_names_is_there():
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", (ROOT / "docs/promises.md").read_text())
    assert len(named) > 30
    for path, name in named:
        assert re.search(rf"^ *def {name}\(", (ROOT / path).read_text(), re.MULTILINE), f"{path}::{name}"


def test_every_variable_that_a_line_of_a_command_sets_is_exported():
    """Typed as it stands, it would not reach the next command."""
    for document in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        for block in blocks(str(document.relative_to(ROOT)), "sh"):
            assert not re.search(r"^[A-Z_]+=\S*$", block, re.MULTILINE), (document.name, block)


def test_the_state_diagram_draws_the_rules():
    arrows = set(re.findall(r"^ +(\w+) --> (?:\w+|\[\*\]): (\w+)", ARCHITECTURE, re.MULTILINE))
    rules = {(str(status), str(verb)) for verb, statuses in RULES.items() for status in statuses}
    assert arrows == rules


OF_THE_CLIENT = {"FLASK_TASKS_API_KEY", "FLASK_TASKS_URL"}
"""Variables that no process of the service reads: functions that submit tasks do."""
VARIABLES_BY_NAME = {variable.name for variable in VARIABLES.values()}
