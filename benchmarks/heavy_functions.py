"""A function of which the module takes long to import, and much memory."""

import numpy as np

from flask_tasks import task


@task
def mean(numbers: list[float]) -> float:
    """Of these numbers."""
    return float(np.mean(numbers))
