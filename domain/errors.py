"""Errors of the domain. The docstring of an error is its message; its attributes are the data."""


class DomainError(Exception):
    """The request breaks a rule of tasks."""

    def __str__(self) -> str:
        return (self.__doc__ or "").format(**vars(self))


class InvalidTransition(DomainError):
    """task {task} is {status}: {verb} takes a task that is {allowed}"""

    def __init__(self, task: int, status: str, verb: str, allowed: str) -> None:
        super().__init__()
        self.task, self.status, self.verb, self.allowed = task, status, verb, allowed


class InvalidOption(DomainError):
    """{option} is {value}: it takes {takes}"""

    def __init__(self, option: str, value: object, takes: str) -> None:
        super().__init__()
        self.option, self.value, self.takes = option, value, takes


class InvalidIdempotencyKey(DomainError):
    """an idempotency key has 1 to 255 characters, all of them printable ASCII"""


class NaiveTime(DomainError):
    """{time} has no time zone: times are UTC-aware"""

    def __init__(self, time: object) -> None:
        super().__init__()
        self.time = time
