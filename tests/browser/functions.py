"""Functions for the pages of the browser tests."""

import time
from typing import Annotated, Any

from pydantic import Field

from flask_tasks import Discard, Progress, task


@task
def counting(progress: Progress, steps: int = 5, seconds: float = 0.2) -> int:
    """Count slowly, say so, and print each step."""
    for step in range(steps):
        progress(step / steps, f"step {step}")
        print(f"step {step} of {steps}", flush=True)
        time.sleep(seconds)
    return steps


@task
def hostile(text: str = "<script>alert(1)</script>") -> str:
    """Return a text that looks like <b>HTML</b>, print it, and fail with it if it says so."""
    print(text)
    if "fail" in text:
        raise ValueError(text)
    return text


@task(max_attempts=2)
def report(
    customer: int, month: Annotated[str, Field(pattern=r"^\d{4}-\d{2}$", description="such as 2026-11")]
) -> dict:
    """Add the orders of a customer up."""
    print(f"reading the orders of customer {customer} in {month}")
    if customer % 4 == 0:
        raise LookupError(f"customer {customer} has no orders in {month}")
    if customer % 7 == 0:
        raise Discard(f"customer {customer} was deleted")
    print("12 orders")
    return {"customer": customer, "orders": 12, "total": 1234.5}


@task
def same(value: Any) -> Any:
    """Return the value."""
    return value
