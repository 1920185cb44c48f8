"""A function whose module takes much time and memory to import."""

import numpy as np

from flask_tasks import task


@task
def mean(numbers: list[float]) -> float:
    """Return the mean of these numbers."""
    return float(np.mean(numbers))
