"""A contract for import-linter: each package imports the standard library, itself, and what its list allows."""

import sys
from collections.abc import Iterator, Mapping
from typing import Any

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class AllowedImports(Contract):
    """`allowed` has lines of `package: other packages`. The line of the longest name decides for a module.

    A module without a line breaks the contract, and so does a package that is allowed and never imported.
    """

    type_name = "allowed"
    allowed = fields.ListField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        lists = dict(_parsed(line) for line in self.allowed)  # type: ignore[attr-defined]
        complaints = [*_complaints(graph, lists)]
        return ContractCheck(kept=not complaints, metadata={"complaints": complaints})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for complaint in check.metadata["complaints"]:
            output.print_error(complaint)


def _parsed(line: str) -> tuple[str, frozenset[str]]:
    package, _, names = line.partition(":")
    return package.strip(), frozenset(names.split())


def _complaints(graph: ImportGraph, lists: Mapping[str, frozenset[str]]) -> Iterator[str]:
    unused = {(package, name) for package, names in lists.items() for name in names}
    for module in sorted(graph.modules):
        if graph.is_module_squashed(module):
            continue
        package = _longest(module, lists)
        if package is None:
            yield f"{module} has no line in the list of allowed imports"
            continue
        for imported in sorted(graph.find_modules_directly_imported_by(module)):
            name = _longest(imported, lists[package])
            unused.discard((package, name or ""))
            if not (name or _is_within(imported, package) or imported in sys.stdlib_module_names):
                yield f"{module} may not import {imported}{_place(graph, module, imported)}"
    yield from (f"{package} does not import {name}, which its list allows" for package, name in sorted(unused))


def _longest(module: str, packages: Any) -> str | None:
    return max((each for each in packages if _is_within(module, each)), key=len, default=None)


def _is_within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def _place(graph: ImportGraph, importer: str, imported: str) -> str:
    details = graph.get_import_details(importer=importer, imported=imported)
    return f" (line {details[0]['line_number']})" if details else ""
