"""The body of a form: fields as a browser sends them, read with the bounds of any other body."""

from urllib.parse import parse_qsl

from flask import request
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from entrypoints.http.limits.concurrency import suspended
from entrypoints.http.limits.reception import Receptions
from entrypoints.http.requests.body import received
from entrypoints.settings import Settings

FORM = "application/x-www-form-urlencoded"
ENCODED_SIZE = 3
"""A byte may take three characters in a form."""
MAX_FIELDS = 10_000


class FormReader:
    """Reads the forms of requests, as many at once as leave room for other requests."""

    def __init__(self, settings: Settings) -> None:
        self._max_bytes = settings.max_body * ENCODED_SIZE
        self._receptions = Receptions(settings.http_threads * 3 // 4)

    def read(self) -> MultiDict[str, str]:
        """Read the form of the current request, which may be empty.

        - Raises BadRequest: the body is incomplete, or no form in UTF-8.
        - Raises RequestEntityTooLarge: it is longer than the largest arguments could be.
        - Raises UnsupportedMediaType: its content type is another one.
        """
        with suspended(), self._receptions.place() as reception:
            data = received(request.environ, reception.read, self._max_bytes)
        if data and request.mimetype != FORM:
            raise UnsupportedMediaType(f"the content type must be {FORM}")
        try:
            fields = parse_qsl(data.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
        except ValueError:
            raise BadRequest("the body is not a form in UTF-8") from None
        return MultiDict(fields)
