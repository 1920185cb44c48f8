"""Errors of the domain. The docstring of an error is its message; its attributes are the data of the message."""


class DomainError(Exception):
    """The request breaks a rule of tasks."""

    def __str__(self) -> str:
        return (self.__doc__ or "").format(**vars(self))


class InvalidTransition(DomainError):
    """task {task} is {status}: {verb} accepts only a task that is {allowed}"""

    def __init__(self, task: int, status: str, verb: str, allowed: str) -> None:
        super().__init__()
        self.task, self.status, self.verb, self.allowed = task, status, verb, allowed


class InvalidOption(DomainError):
    """{option} is {value}: it must be {expected}"""

    def __init__(self, option: str, value: object, expected: str) -> None:
        super().__init__()
        self.option, self.value, self.expected = option, value, expected


class InvalidLabel(DomainError):
    """the label {name} is wrong: it must be {expected}"""

    def __init__(self, name: str, expected: str) -> None:
        super().__init__()
        self.name, self.expected = name, expected


class InvalidPath(DomainError):
    """{path} is no path to one value, as $.a['b c'][0] is: it is wrong from character {position} on"""

    def __init__(self, path: str, position: int) -> None:
        super().__init__()
        self.path, self.position = path, position


class InvalidIdempotencyKey(DomainError):
    """the idempotency key must be 1 to 255 printable ASCII characters"""


class NaiveTime(DomainError):
    """{time} has no time zone: a time must have one"""

    def __init__(self, time: object) -> None:
        super().__init__()
        self.time = time
