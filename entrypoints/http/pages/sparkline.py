"""Sparklines: small bars of tasks done and failed, drawn on the server."""

from collections.abc import Sequence

from markupsafe import Markup

BARS = 30
BAR_WIDTH = 3
HEIGHT = 20
SVG = Markup(
    '<svg class="spark" role="img" aria-label="{label}" width="{width}" height="{height}"'
    ' viewBox="0 0 {width} {height}"><title>{label}</title>'
    '<path class="done" fill="currentColor" d="{done}"/><path class="failed" fill="currentColor" d="{failed}"/></svg>'
)


def sparkline(done: Sequence[int], failed: Sequence[int], label: str) -> Markup:
    """Draw the numbers of some steps as at most BARS bars, those that failed above those that were done."""
    done, failed = _together(done), _together(failed)
    totals = [of_done + of_failed for of_done, of_failed in zip(done, failed, strict=True)]
    most = max(totals, default=0) or 1
    tops, failed_heights = _heights(totals, most), _heights(failed, most)
    bases = [top - height for top, height in zip(tops, failed_heights, strict=True)]
    return SVG.format(
        label=label,
        width=max(len(tops), 1) * BAR_WIDTH,
        height=HEIGHT,
        done=_bars([0] * len(bases), bases),
        failed=_bars(bases, tops),
    )


def _together(numbers: Sequence[int]) -> Sequence[int]:
    """Add up neighbours, so that at most BARS numbers are left."""
    size = -(-len(numbers) // BARS) or 1
    return [sum(numbers[at : at + size]) for at in range(0, len(numbers), size)]


def _heights(numbers: Sequence[int], most: int) -> Sequence[int]:
    """The heights of bars: at least 1 for each number but 0."""
    return [max(1, round(number / most * HEIGHT)) if number else 0 for number in numbers]


def _bars(bases: Sequence[int], tops: Sequence[int]) -> str:
    """The path of the bars between these heights."""
    return "".join(
        f"M{at * BAR_WIDTH} {HEIGHT - top}h{BAR_WIDTH - 1}v{top - base}h-{BAR_WIDTH - 1}z"
        for at, (base, top) in enumerate(zip(bases, tops, strict=True))
        if top > base
    )
