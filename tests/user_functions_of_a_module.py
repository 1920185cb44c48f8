"""A function that is found by the name of its module."""

from flask_tasks import task


@task
def in_a_module():
    """Three."""
    return 3
