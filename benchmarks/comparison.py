"""Two sides measured by turns, and the ratio between them: machines differ from hour to hour, ratios hardly do.

What nothing else compares with, such as memory, is measured alone.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from statistics import median


@dataclass(frozen=True, slots=True)
class Side:
    """Something to measure: what it is, and a function that does it once and answers the figure."""

    name: str
    measure: Callable[[], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Ours beside a reference, in a unit, of which more is better or less is.

    The ratio is ours divided by the reference's. `must` and `aim` are ratios to reach, where there are any; without a
    reference they are figures.
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
    """What one side came to, time after time."""

    all: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        """The one in the middle: a busy moment of the machine moves it little."""
        return median(self.all)

    @property
    def spread(self) -> float:
        """How far the others lie from it, as a share of it: half of all are within."""
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
        """Of the medians; None where there is no reference."""
        return self.ours.median / self.reference.median if self.reference.all else None

    @property
    def spread(self) -> float:
        """Of both sides together, as a share."""
        return self.ours.spread + (self.reference.spread if self.reference.all else 0.0)

    def reaches(self, goal: float | None) -> bool | None:
        """Whether the ratio, or the figure that stands alone, is as good as that; None where there is no such goal."""
        if goal is None:
            return None
        reached = self.ours.median if self.ratio is None else self.ratio
        return reached >= goal if self.comparison.more_is_better else reached <= goal


def compared(comparison: Comparison, repeats: int) -> Iterator[Result | None]:
    """None after each step, and the result at the end. Once before it counts, then by turns."""
    result = Result(comparison, Figures(), Figures())
    sides: list[tuple[Side, Figures]] = [(comparison.ours, result.ours)]
    if comparison.reference:
        sides.insert(0, (comparison.reference, result.reference))
    for side, _ in sides:
        side.measure()
        yield None
    for turn in range(repeats):
        # Who comes second finds the machine as the first has left it: both are it in turn.
        for side, figures in sides if turn % 2 else sides[::-1]:
            figures.all.append(side.measure())
            yield None
    yield result


def steps(comparison: Comparison, repeats: int) -> int:
    """How many steps a comparison has."""
    return (2 if comparison.reference else 1) * (repeats + 1)
