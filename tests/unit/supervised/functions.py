"""Functions that the supervisor of the tests runs."""

from typing import Annotated

from pydantic import AfterValidator

from flask_tasks import Progress, Retry, task
from tests.unit.supervised.gates import pass_through


@task
def quick(n: int = 0) -> int:
    return n


@task
def gated(gate: str) -> str:
    pass_through(gate)
    return gate


@task
def telling(progress: Progress, gate: str) -> None:
    progress(0.5, "half")
    pass_through(gate)


@task(max_attempts=2)
def asking() -> None:
    raise Retry(delay=60)


@task(retry_on=(OSError,), max_attempts=3)
def broken() -> None:
    raise ValueError("broken")


@task
def failing(gate: str) -> None:
    pass_through(gate)
    raise ValueError("behind the gate")


def even(n: int) -> int:
    if n % 2:
        raise ValueError("odd")
    return n


@task
def halving(n: Annotated[int, AfterValidator(even)]) -> int:
    """Refuses odd numbers, which its schema allows."""
    return n // 2
