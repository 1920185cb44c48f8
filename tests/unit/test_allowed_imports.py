"""The contract that holds the lists of allowed imports."""

import pytest
from grimp import ImportGraph

from tests.allowed_imports import AllowedImports

ALLOWED = ["domain:", "adapters: domain", "adapters.cron: domain cronsim"]
IMPORTS = [("adapters.memory", "domain.task"), ("adapters.cron", "cronsim"), ("adapters.cron", "domain.task")]


def check(imports: list[tuple[str, str]], allowed: list[str]) -> list[str]:
    graph = ImportGraph()
    for importer, imported in [*IMPORTS, *imports]:
        for module in (importer, imported):
            if module not in graph.modules:
                graph.add_module(module, is_squashed=not module.startswith(("domain", "adapters", "application")))
        graph.add_import(importer=importer, imported=imported, line_number=3, line_contents="")
    options = {"name": "lists", "type": "allowed", "allowed": allowed}
    contract = AllowedImports("lists", {"root_packages": []}, options)
    check = contract.check(graph, verbose=False)
    assert check.kept is not bool(check.metadata["complaints"])
    return list(check.metadata["complaints"])


def test_imports_of_the_standard_library_and_of_what_is_allowed_keep_the_contract():
    assert check([("domain.task", "dataclasses"), ("domain.task", "domain.ids")], ALLOWED) == []


@pytest.mark.parametrize("imported", ["httpx", "cronsim", "application.view"])
def test_an_import_that_no_list_allows_breaks_it(imported: str):
    complaints = check([("domain.task", imported)], [*ALLOWED, "application:"])
    assert complaints == [f"domain.task may not import {imported} (line 3)"]


def test_the_line_of_the_longest_name_decides():
    assert check([("adapters.memory", "cronsim")], ALLOWED) == ["adapters.memory may not import cronsim (line 3)"]


def test_a_module_without_a_line_breaks_it():
    complaints = check([("application.view", "domain.task")], ALLOWED)
    assert complaints == ["application.view has no line in the list of allowed imports"]


def test_a_permission_that_is_not_used_breaks_it():
    complaints = check([], [*ALLOWED[:2], "adapters.cron: domain cronsim requests"])
    assert complaints == ["adapters.cron does not import requests, which its list allows"]
