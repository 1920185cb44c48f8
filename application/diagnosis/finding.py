"""Findings of a diagnosis."""

from collections.abc import Sequence
from dataclasses import dataclass

from application.outages import Finding


@dataclass(frozen=True, slots=True)
class Check:
    """What was looked at, and what was found. `fact`: one sentence that is true in any case."""

    name: str
    fact: str
    findings: Sequence[Finding] = ()
