"""The start of a process: what ends it before it has begun."""

import pytest

from entrypoints import startup
from entrypoints.settings import ConfigurationError, Settings


@pytest.mark.parametrize("installed", [(), ("opentelemetry",), ("opentelemetry", "opentelemetry.sdk")])
def test_spans_cannot_be_sent_without_their_packages(installed: tuple[str, ...], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(startup, "find_spec", lambda name: name in installed or None)
    startup.check_packages_of_traces(Settings())
    with pytest.raises(ConfigurationError, match=r"group traces in pyproject\.toml"):
        startup.check_packages_of_traces(Settings(otel_exporter_otlp_endpoint="http://collector:4318"))


def test_spans_can_be_sent_with_their_packages():
    startup.check_packages_of_traces(Settings(otel_exporter_otlp_endpoint="http://collector:4318"))
