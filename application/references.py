"""References: the items of one request that wait for each other, by the names that the request gives them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from application.errors import InvalidItems
from application.submissions import TaskRequest

MAX_DEPENDENCIES = 100_000
"""The most tasks in the `after` of all items together, each of which is a row."""
AFTER = "after"
Errors = dict[str, list[str]]
"""Sentences by the path of a wrong place in the body."""


@dataclass(slots=True)
class References:
    """The names that items have, and the items that each one waits for.

    - `index_of`: the index of the item of each name.
    - `number`: the number of tasks for which all items wait.
    - `named`: of each item that waits for others, their names, by their places below it, such as `after.0`.
    """

    index_of: dict[str, int] = field(default_factory=dict)
    named: dict[int, Mapping[str, str]] = field(default_factory=dict)
    errors: Errors = field(default_factory=dict)
    number: int = 0

    def note(self, index: int, request: TaskRequest) -> None:
        """Note the names of an item."""
        if request.ref is not None and self.index_of.setdefault(request.ref, index) != index:
            self.errors[f"$.{index}.ref"] = [f"item {self.index_of[request.ref]} has this ref"]
        self.number += len(request.after) + len(request.placeholders)
        if self.number > MAX_DEPENDENCIES:
            self.errors[f"$.{index}.after"] = [f"has more than the {MAX_DEPENDENCIES:,} that a request may have"]
        elif names := dict(_names(request)):
            self.named[index] = names

    def parents(self) -> Mapping[int, frozenset[int]]:
        """The indexes of the items that each item waits for.

        Raises InvalidItems: two items have one name, an item waits for one that is not there, or items wait for each
        other in a circle.
        """
        for index, names in self.named.items():
            for place, name in names.items():
                if name not in self.index_of:
                    self.errors[f"$.{index}.{place}"] = [f"no item has the ref {name}"]
        self._check()
        parents = {
            index: frozenset(map(self.index_of.__getitem__, each.values())) for index, each in self.named.items()
        }
        self._check_circle(parents)
        return parents

    def _check_circle(self, parents: Mapping[int, frozenset[int]]) -> None:
        if circle := circle_in(parents):
            refs = {index: ref for ref, index in self.index_of.items()}
            first, second, *_ = [*circle, circle[0]]
            names = " waits for ".join(refs[index] for index in [*circle, first])
            place = next(place for place, name in self.named[first].items() if name == refs[second])
            self.errors[f"$.{first}.{AFTER if place.startswith(f'{AFTER}.') else place}"] = [
                f"is part of a circle: {names}"
            ]
            self._check()

    def _check(self) -> None:
        if self.errors:
            raise InvalidItems(self.errors, len({path.split(".")[1] for path in self.errors}))


def _names(request: TaskRequest) -> Iterator[tuple[str, str]]:
    """The names of the items that an item waits for, by their places."""
    for nth, each in enumerate(request.after):
        if isinstance(each, str):
            yield f"{AFTER}.{nth}", each
    for placeholder in request.placeholders:
        if isinstance(placeholder.parent, str):
            yield f"args{placeholder.shown_place[1:]}", placeholder.parent


def circle_in(parents: Mapping[int, frozenset[int]]) -> Sequence[int]:
    """The indexes of a circle, each of which waits for the next one; empty if there is none."""
    decided: set[int] = set()
    for start in parents:
        path: dict[int, list[int]] = {start: sorted(parents[start])}
        while path and start not in decided:
            index, rest = next(reversed(path.items()))
            if not rest:
                decided.add(index)
                del path[index]
            elif (next_one := rest.pop()) in path:
                walked = [*path]
                return walked[walked.index(next_one) :]
            elif next_one not in decided:
                path[next_one] = sorted(parents.get(next_one, ()))
    return []
