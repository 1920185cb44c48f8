"""Functions for the pages of the browser tests."""

import time

from flask_tasks import Progress, task


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
