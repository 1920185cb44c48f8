"""Two sides measured by turns, and the ratio between them: machines differ from hour to hour, ratios hardly do.

A figure without a reference, such as memory, is measured alone.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from statistics import median


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison: its name, and a function that measures it once and answers the figure."""

    name: str
    measure: Callable[[], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Our side beside a reference, in a unit.

    The ratio is our figure divided by the reference's. `must` (required) and `aim` are the goals: ratios, or figures
    where there is no reference; None where there is no goal.
    """

    name: str
    unit: str
    ours: Side
    reference: Side | None = None
    more_is_better: bool = True
    must: float | None = None
    aim: float | None = None
    note: str = ""


@dataclass(slots=True)
class Figures:
    """The figures of one side, in the order of measuring."""

    all: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        """The median: a busy moment of the machine moves it little."""
        return median(self.all)

    @property
    def spread(self) -> float:
        """The median deviation from the median, as a share of it."""
        middle = self.median
        return median(abs(each - middle) for each in self.all) / middle if middle else 0.0


@dataclass(frozen=True, slots=True)
class Result:
    """A comparison with its figures."""

    comparison: Comparison
    ours: Figures
    reference: Figures

    @property
    def ratio(self) -> float | None:
        """The ratio of the medians; None where there is no reference."""
        return self.ours.median / self.reference.median if self.reference.all else None

    @property
    def spread(self) -> float:
        """Of both sides together, as a share."""
        return self.ours.spread + (self.reference.spread if self.reference.all else 0.0)

    def reaches(self, goal: float | None) -> bool | None:
        """Whether the ratio, or the figure without a reference, reaches the goal; None where there is no goal."""
        if goal is None:
            return None
        reached = self.ours.median if self.ratio is None else self.ratio
        return reached >= goal if self.comparison.more_is_better else reached <= goal


def compared(comparison: Comparison, repeats: int) -> Iterator[Result | None]:
    """Measure each side once to warm up, then by turns. Yields None after each step, and the result at the end."""
    result = Result(comparison, Figures(), Figures())
    sides: list[tuple[Side, Figures]] = [(comparison.ours, result.ours)]
    if comparison.reference:
        sides.insert(0, (comparison.reference, result.reference))
    for side, _ in sides:
        side.measure()
        yield None
    for turn in range(repeats):
        # The first side leaves the machine in some state for the second: each side comes first in turn.
        for side, figures in sides if turn % 2 else sides[::-1]:
            figures.all.append(side.measure())
            yield None
    yield result


def steps(comparison: Comparison, repeats: int) -> int:
    """The number of steps of a comparison."""
    return (2 if comparison.reference else 1) * (repeats + 1)
