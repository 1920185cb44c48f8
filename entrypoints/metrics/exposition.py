"""The text that a monitor reads, in the exposition format of Prometheus.

prometheus_client is imported by the first scrape: it takes a twentieth of a second, and many processes are never asked.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from entrypoints.metrics.catalogue import CATALOGUE, PREFIX, Kind, Metric
from entrypoints.metrics.samples import Cumulative, Samples

if TYPE_CHECKING:
    from prometheus_client import Metric as Family

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def rendered(samples: Samples) -> bytes:
    """The text of the samples, in the order of the catalogue."""
    from prometheus_client import CollectorRegistry, generate_latest

    # A registry of its own: the default one has metrics of every program, and is shared by all that use the library.
    registry = CollectorRegistry()
    registry.register(_Families(samples))
    return generate_latest(registry)


class _Families:
    """A collector of the library."""

    def __init__(self, samples: Samples) -> None:
        self._samples = samples

    def describe(self) -> Iterable["Family"]:
        """Nothing, so that the samples are collected once."""
        return []

    def collect(self) -> Iterator["Family"]:
        """A family for each metric that has samples here."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

        make = {
            Kind.COUNTER: CounterMetricFamily,
            Kind.GAUGE: GaugeMetricFamily,
            Kind.HISTOGRAM: HistogramMetricFamily,
        }
        for name, metric in CATALOGUE.items():
            if name in self._samples:
                family = make[metric.kind](PREFIX + name, metric.meaning, labels=metric.labels)
                yield _filled(family, metric, self._samples)


def _filled(family: "Family", metric: Metric, samples: Samples) -> "Family":
    """Add the samples by the names that the format has for them."""
    from prometheus_client.utils import floatToGoString

    for labels, value in samples[metric.name].items():
        given = dict(zip(metric.labels, labels, strict=True))
        if isinstance(value, Cumulative):
            for bound, number in value.numbers:
                family.add_sample(f"{family.name}_bucket", given | {"le": floatToGoString(bound)}, number)  # type: ignore[no-untyped-call]
            family.add_sample(f"{family.name}_count", given, value.numbers[-1][1])
            family.add_sample(f"{family.name}_sum", given, value.sum)
        else:
            family.add_sample(PREFIX + metric.name, given, value)
    return family
