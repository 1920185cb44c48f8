"""Why it does not start, or does not go on. The message is the sentence that is shown."""


class Refused(Exception):
    """It cannot run like this. `code` is the exit status: 2 where the configuration is wrong."""

    def __init__(self, sentence: object, code: int = 1) -> None:
        super().__init__(str(sentence))
        self.code = code
