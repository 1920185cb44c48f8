"""The check of each request: whether its sender may do what it asks for."""

import re
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from flask import Flask, Response, request
from werkzeug.exceptions import TooManyRequests as TooManyRequestsResponse

from application.authentication import UNKNOWN_KEY, Authenticator
from application.errors import StorageUnavailable, TooManyRequests, Unauthenticated
from domain.access import OPEN, Access
from domain.ids import Owner
from domain.rate import Rate
from entrypoints.http.access.current import ACCESS
from entrypoints.http.access.needs import need_of
from entrypoints.http.authentication.session_cookie import session_of
from entrypoints.http.authentication.slow_answers import SlowAnswers
from entrypoints.http.requests.parsing import batch_id, task_id
from entrypoints.http.responses.errors import error_response
from entrypoints.http.services import Services

LONG_SECONDS = 1.0
"""Seconds after which an answer is sent only if the access of its sender still holds."""
_SUBJECT = re.compile(r"/(task|batch|batches)/<(?:\w+:)?id>")
"""Paths of a task or a batch."""
BEARER = "bearer "
SENDER = "flask_tasks.sender"
"""Key of the sender in the WSGI environment of a request."""


@dataclass(frozen=True, slots=True)
class Sender:
    """What the sender of a request has shown, and when."""

    authenticator: Authenticator
    credentials: str | None
    session: str | None
    since: float

    def access(self) -> Access:
        """The access that it has now. Raises Unauthenticated."""
        return self.authenticator.access(self.credentials, self.session)

    def is_allowed(self) -> bool:
        """Whether what it has shown is still valid. While the storage is away, it is."""
        try:
            self.access()
        except Unauthenticated:
            return False
        except StorageUnavailable:
            return True
        return True

    @property
    def has_waited(self) -> bool:
        """Whether its request has taken long."""
        return time.monotonic() - self.since > LONG_SECONDS


def check_access(app: Flask, services: Services) -> None:
    """Let each view be used by those alone who have the access that it needs."""
    check = AccessCheck(app, services)
    app.before_request(check.before)
    app.after_request(check.after)


class AccessCheck:
    """Checks requests before they are carried out, and long ones again before they are answered."""

    def __init__(self, app: Flask, services: Services) -> None:
        self._app = app
        self._authenticator: Authenticator = services.authenticator()
        self._owners = services.check_owner()
        self._rates = services.request_rates()
        self._answer_slowly = SlowAnswers(services.wrong_keys())

    def before(self) -> None:
        """Raises Unauthenticated, Forbidden, UnknownTask, UnknownBatch: the sender may not do that."""
        # Each access to flask.request takes as long as a look-up in a cache.
        rule, environ = request.url_rule, request.environ
        if rule is None or environ["REQUEST_METHOD"] == "OPTIONS":
            return
        need = need_of(self._app.view_functions[rule.endpoint])
        if need.is_public:
            if need.shows_more:
                self._recognise(environ)
            return
        try:
            if self._authenticator.is_open():
                environ[ACCESS] = OPEN
                return
            access = environ[ACCESS] = self._access(environ)
        except StorageUnavailable:
            if need.is_public_in_outage:
                return
            raise
        need.check(access)
        if access.rate and access.owner:
            self._admit(access.owner, access.rate)
        if owner := access.sees_only:
            self._check_subject(rule.rule, owner)

    def after(self, response: Response) -> Response:
        """Answer 401 to a sender whose key was revoked while it waited, and end its stream."""
        sender: Sender | None = request.environ.get(SENDER)
        if sender is None:
            return response
        if sender.has_waited and not sender.is_allowed():
            response.close()
            return error_response(Unauthenticated(UNKNOWN_KEY))
        if response.is_streamed:
            response.response = _while_allowed(response.response, sender)
        return response

    def _recognise(self, environ: dict[str, Any]) -> None:
        """Let a sender with a valid key see more. A wrong key is none."""
        with suppress(Unauthenticated, StorageUnavailable):
            environ[ACCESS] = self._access(environ)

    def _access(self, environ: dict[str, Any]) -> Access:
        sender = Sender(self._authenticator, _credentials(environ), session_of(request), time.monotonic())
        try:
            access = sender.access()
        except Unauthenticated:
            if sender.credentials is not None:
                self._answer_slowly()
            raise
        if access is not OPEN:
            environ[SENDER] = sender
        return access

    def _admit(self, owner: Owner, rate: Rate) -> None:
        """Raises werkzeug's TooManyRequests: the rate of the sender allows no request now."""
        try:
            self._rates.admit(owner, rate)
        except TooManyRequests as error:
            raise TooManyRequestsResponse(str(error), retry_after=error.seconds) from None

    def _check_subject(self, rule: str, owner: Owner) -> None:
        """Raises UnknownTask, UnknownBatch: the task or the batch of the path belongs to another owner."""
        if not (found := _SUBJECT.search(rule)):
            return
        id = str((request.view_args or {})["id"])
        if found[1] == "task":
            self._owners.of_task(task_id(id), owner)
        else:
            self._owners.of_batch(batch_id(id), owner)


def _credentials(environ: dict[str, Any]) -> str | None:
    """The key or the token of a request. Other schemes are between a client and its proxy."""
    header: str = environ.get("HTTP_AUTHORIZATION", "")
    return header[len(BEARER) :].strip() if header[: len(BEARER)].lower() == BEARER else None


def _while_allowed(chunks: Iterable[Any], sender: Sender) -> Iterator[Any]:
    """The chunks, up to the moment from which the sender is not allowed any more. A client then connects again."""
    try:
        for chunk in chunks:
            if not sender.is_allowed():
                return
            yield chunk
    finally:
        if close := getattr(chunks, "close", None):
            close()
