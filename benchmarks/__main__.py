"""`python3 run.py bench [--peers] [name …]`: prints medians, spreads and the ratio to each reference."""

import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial

import click

from benchmarks import (
    bulk,
    claim,
    clean,
    crowd,
    dashboard,
    dependencies,
    drain,
    footprint,
    http,
    latency,
    limits,
    page,
    recorded,
    report,
    sizes,
    up,
)
from benchmarks.comparison import Comparison, Result, compared, steps
from benchmarks.peers.comparisons import PEERS

Benchmarks = Mapping[str, Callable[[], Iterator[Comparison]]]

BENCHMARKS: Benchmarks = {
    "drain": drain.comparisons,
    "http": http.comparisons,
    "bulk": bulk.comparisons,
    "claim": claim.comparisons,
    "latency": latency.comparisons,
    "limits": limits.comparisons,
    "dependencies": dependencies.comparisons,
    "clean": clean.comparisons,
    "sizes": sizes.comparisons,
    "footprint": footprint.comparisons,
    "up": up.comparisons,
    "crowd": crowd.comparisons,
    "dashboard": dashboard.comparisons,
    "claim-5m": partial(claim.comparisons, 5_000_000, 1_000_000),
}
ON_DEMAND = {"crowd", "dashboard", "claim-5m"}
"""Benchmarks that take long, and run only when named."""


@click.command()
@click.argument("names", nargs=-1, type=click.Choice([*BENCHMARKS, *PEERS]))
@click.option("--peers", is_flag=True, help="Compare with all or the named other systems; they are installed first.")
@click.option("--repeats", default=5, show_default=True, help="How often each side is measured.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON with every single figure.")
@click.option("--record", is_flag=True, help="Keep the figures for --check and for docs/performance.md.")
@click.option("--check", is_flag=True, help="Exit with 1 where a ratio has fallen behind the recorded one.")
def main(names: Sequence[str], peers: bool, repeats: int, as_json: bool, record: bool, check: bool) -> None:
    """Measure all benchmarks, or the named ones. Goals stand behind the ratio, reached (✓) or not (✗)."""
    table = PEERS if peers else BENCHMARKS
    if strange := set(names) - table.keys():
        raise click.BadArgumentUsage(f"{'With' if peers else 'Without'} --peers there is no {', '.join(strange)}.")
    results = []
    if not as_json:
        click.echo(report.head())
    for result in measured(table, names or [name for name in table if name not in ON_DEMAND], repeats):
        results.append(result)
        if not as_json:
            click.echo(report.line(result))
    if as_json:
        click.echo(report.as_json(results))
    behind = recorded.fell_behind(results, recorded.read()) if check else []
    if record:
        recorded.write(results)
        page.write(recorded.read())
    if behind:
        raise click.ClickException("\n".join(behind))


def measured(table: Benchmarks, names: Iterable[str], repeats: int) -> Iterator[Result]:
    """Yield the results one after the other, with a progress bar for each while it is measured."""
    for name in names:
        for comparison in table[name]():
            with click.progressbar(length=steps(comparison, repeats), label=comparison.name, file=sys.stderr) as bar:
                for result in compared(comparison, repeats):
                    bar.update(1 if result is None else 0)
            assert result
            yield result


if __name__ == "__main__":
    # A terminal without UTF-8 lacks some of the signs.
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    # SIGTERM acts like Ctrl-C, so that the processes of a comparison end with it.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    main()
