"""The errors of a text that is refused as JSON. The docstring of an application error is its message."""

from application.errors import ApplicationError


class NotJson(ValueError):
    """The text is not JSON; the message names the position of the first mistake."""


class UnkeepableJson(ApplicationError):
    """{path}: {why}"""

    def __init__(self, path: str, why: str) -> None:
        super().__init__()
        self.path, self.why = path, why
