"""A small evaluator of PromQL: as much of it as our alerts use, over scrapes that a test has made."""

import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import promql_parser as promql
from prometheus_client.parser import text_string_to_metric_families

Series = frozenset[tuple[str, str]]
Vector = Mapping[Series, float]
STALE_SECONDS = 300.0
NAME = "__name__"


class Scrape(NamedTuple):
    """The samples of one process at one time, by their labels; the name is one of them."""

    at: float
    samples: Vector


def scrape(at: float, text: str, **target: str) -> Scrape:
    """Read the text of an export. `target`: the labels that Prometheus adds."""
    samples = (sample for family in text_string_to_metric_families(text) for sample in family.samples)
    return Scrape(at, {series({NAME: sample.name, **sample.labels, **target}): sample.value for sample in samples})


def series(labels: Mapping[str, str]) -> Series:
    return frozenset(labels.items())


def evaluate(expression: str, scrapes: Sequence[Scrape]) -> Vector:
    """The value of an expression at the time of the last scrape."""
    found = _Evaluation(scrapes).of(promql.parse(expression))
    assert isinstance(found, dict)
    return found


def selectors(expression: str) -> Iterator[tuple[Any, str | None]]:
    """Each selector of an expression, with the function that is applied to its range."""
    return _selectors(promql.parse(expression), None)


def grouped_labels(expression: str) -> set[str]:
    """The labels by which an expression groups."""
    return {
        label
        for node in _nodes(promql.parse(expression))
        if isinstance(node, promql.AggregateExpr) and node.modifier
        for label in node.modifier.labels
    }


def _children(node: Any) -> Iterator[Any]:
    for name in ("lhs", "rhs", "expr"):
        if hasattr(node, name):
            yield getattr(node, name)
    yield from getattr(node, "args", ())


def _nodes(node: Any) -> Iterator[Any]:
    yield node
    for child in _children(node):
        yield from _nodes(child)


def _selectors(node: Any, function: str | None) -> Iterator[tuple[Any, str | None]]:
    if isinstance(node, promql.MatrixSelector):
        yield node.vector_selector, function
    elif isinstance(node, promql.VectorSelector):
        yield node, None
    for child in _children(node):
        yield from _selectors(child, node.func.name if isinstance(node, promql.Call) else None)


COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    ">": lambda a, b: a > b,
    "<": lambda a, b: a < b,
    "==": lambda a, b: a == b,
}
ARITHMETIC: Mapping[str, Callable[[float, float], float]] = {
    "/": lambda a, b: a / b if b else math.nan,
    "*": lambda a, b: a * b,
}
AGGREGATIONS: Mapping[str, Callable[[Iterable[float]], float]] = {"sum": sum, "max": max, "min": min}


class _Evaluation:
    def __init__(self, scrapes: Sequence[Scrape]) -> None:
        self._scrapes = scrapes
        self._now = max(each.at for each in scrapes)

    def of(self, node: Any) -> Any:
        return getattr(self, f"_{type(node).__name__}")(node)

    def _NumberLiteral(self, node: Any) -> float:  # noqa: N802
        return float(node.val)

    def _ParenExpr(self, node: Any) -> Any:  # noqa: N802
        return self.of(node.expr)

    def _VectorSelector(self, node: Any) -> Vector:  # noqa: N802
        return {key: points[-1][1] for key, points in self._points(node, STALE_SECONDS).items()}

    def _Call(self, node: Any) -> Vector:  # noqa: N802
        (argument,) = node.args
        if node.func.name == "abs":
            return {_unnamed(key): abs(value) for key, value in self.of(argument).items()}
        seconds = argument.range.total_seconds()
        per = seconds if node.func.name == "rate" else 1.0
        assert node.func.name in ("rate", "increase")
        points = self._points(argument.vector_selector, seconds)
        return {_unnamed(key): _increase(of, seconds) / per for key, of in points.items() if len(of) > 1}

    def _AggregateExpr(self, node: Any) -> Vector:  # noqa: N802
        keeps = _kept(node.modifier)
        groups: defaultdict[Series, list[float]] = defaultdict(list)
        for key, value in self.of(node.expr).items():
            groups[frozenset(label for label in key if keeps(label[0]))].append(value)
        return {key: AGGREGATIONS[str(node.op)](values) for key, values in groups.items()}

    def _BinaryExpr(self, node: Any) -> Vector:  # noqa: N802
        left, right, op = self.of(node.lhs), self.of(node.rhs), str(node.op)
        pairs = {key: (value, right if isinstance(right, float) else right.get(key)) for key, value in left.items()}
        matched = {key: (a, b) for key, (a, b) in pairs.items() if b is not None}
        if op in COMPARISONS:
            return {key: a for key, (a, b) in matched.items() if COMPARISONS[op](a, b)}
        return {_unnamed(key): ARITHMETIC[op](a, b) for key, (a, b) in matched.items()}

    def _points(self, selector: Any, seconds: float) -> Mapping[Series, Sequence[tuple[float, float]]]:
        found: defaultdict[Series, list[tuple[float, float]]] = defaultdict(list)
        for at, samples in self._scrapes:
            for key, value in samples.items():
                if at > self._now - seconds and _matches(selector, dict(key)):
                    found[key].append((at, value))
        return found


def _kept(modifier: Any) -> Callable[[str], bool]:
    if modifier is None:
        return lambda name: False
    by = modifier.type == promql.AggModifierType.By
    return lambda name: (name in modifier.labels) is by and name != NAME


def _matches(selector: Any, labels: Mapping[str, str]) -> bool:
    return labels[NAME] == selector.name and all(
        _matches_label(each, labels.get(each.name, "")) for each in selector.matchers.matchers
    )


def _matches_label(matcher: Any, value: str) -> bool:
    if matcher.op == promql.MatchOp.Re:
        return re.fullmatch(matcher.value, value) is not None
    assert matcher.op == promql.MatchOp.Equal
    return bool(matcher.value == value)


def _increase(points: Sequence[tuple[float, float]], seconds: float) -> float:
    """The increase over a range, extrapolated from that between the first and the last point."""
    pairs = pairwise(points)
    grown = sum(after if after < before else after - before for (_, before), (_, after) in pairs)
    return grown * seconds / (points[-1][0] - points[0][0])


def _unnamed(key: Series) -> Series:
    return frozenset(label for label in key if label[0] != NAME)
