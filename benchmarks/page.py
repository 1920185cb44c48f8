"""`docs/performance.md` and its picture, made of the recorded figures."""

import re
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path

from benchmarks.recorded import Figure, Record

DOCS = Path(__file__).parent.parent / "docs"
PAGE, PICTURE = DOCS / "performance.md", DOCS / "images" / "performance.svg"
BEGIN, END = "<!-- figures: written by `python3 run.py bench --record` -->", "<!-- end of the figures -->"
HEAD = "| benchmark | ours | reference | ratio | must | aim |\n| --- | --- | --- | --- | --- | --- |"

WIDTH, LEFT, ROW, SCALE = 860, 330, 20, 180
"""Pixels: the width of the picture, the left margin of the bars, the height of a row, a bar that reaches its goal."""
MAX_SHARE = 2.5
"""The share of the goal at which bars are cut."""


def with_figures(text: str, records: Mapping[str, Record]) -> str:
    """The page with these figures."""
    table = "\n".join([HEAD, *(_row(name, record) for name, record in records.items())])
    marked = re.compile(f"{re.escape(BEGIN)}.*?{re.escape(END)}", re.DOTALL)
    return marked.sub(lambda _: f"{BEGIN}\n\n{table}\n\n{END}", text)


def picture(records: Mapping[str, Record]) -> str:
    """The share of the required ratio that each benchmark reaches; the thin line is its aim."""
    with_goals = {name: record for name, record in records.items() if record.must is not None}
    height = ROW * (len(with_goals) + 2)
    bars = "".join(_bar(nth, name, record) for nth, (name, record) in enumerate(with_goals.items(), 1))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" '
        f'font-size="12">\n<rect width="{WIDTH}" height="{height}" fill="#fff"/>\n'
        f'<text x="{LEFT + SCALE}" y="14" text-anchor="middle" fill="#444">must</text>\n{bars}'
        f'<line x1="{LEFT + SCALE}" x2="{LEFT + SCALE}" y1="18" y2="{height - 6}" stroke="#444"/>\n</svg>\n'
    )


def write(records: Mapping[str, Record]) -> None:
    """Write the page and the picture with these figures."""
    PAGE.write_text(with_figures(PAGE.read_text(encoding="utf-8"), records), encoding="utf-8")
    PICTURE.write_text(picture(records))


def _row(name: str, record: Record) -> str:
    ratio = "" if record.ratio is None else f"**{record.ratio:.2f}**"
    cells = (name, _figure(record.ours, record.unit), _figure(record.reference, record.unit), ratio, *_goals(record))
    return f"| {' | '.join(cells)} |"


def _goals(record: Record) -> Iterator[str]:
    for goal in (record.must, record.aim):
        yield "" if goal is None else f"{goal:g} {'✓' if record.share_of(goal) >= 1 else '✗'}"


def _figure(figure: Figure | None, unit: str) -> str:
    if figure is None:
        return ""
    number = f"{figure.median:,.0f}" if figure.median >= 100 else f"{figure.median:g}"
    return f"{figure.what}: {number} {unit} ±{figure.spread:.0%}"


def _bar(nth: int, name: str, record: Record) -> str:
    assert record.must is not None
    share, top = record.share_of(record.must), ROW * nth
    length = SCALE * min(share, MAX_SHARE)
    colour = "#2e7d32" if share >= 1 else "#c62828"
    aim = record.must / record.aim if record.aim and not record.more_is_better else (record.aim or 0) / record.must
    aim_at = LEFT + SCALE * min(aim, MAX_SHARE)
    return (
        f'<text x="{LEFT - 8}" y="{top + 13}" text-anchor="end">{escape(name)}</text>'
        f'<rect x="{LEFT}" y="{top + 3}" width="{length:.0f}" height="{ROW - 7}" fill="{colour}"/>'
        + (f'<rect x="{aim_at:.0f}" y="{top + 1}" width="1" height="{ROW - 3}"/>' if aim else "")
        + f'<text x="{LEFT + length + 6:.0f}" y="{top + 13}" fill="#444">{record.reached:.2f}</text>\n'
    )
