"""The error of a service that cannot start or go on. The message is the sentence for the terminal."""


class Refused(Exception):
    """The service cannot run like this. `code` is the exit status: 2 where the configuration is wrong."""

    def __init__(self, sentence: object, code: int = 1) -> None:
        super().__init__(str(sentence))
        self.code = code
