"""The access that the sender of the current request has."""

from collections.abc import Sequence

from flask import request

from domain.access import Access, Scope
from domain.ids import Owner
from domain.status import Verb

ACCESS = "flask_tasks.access"
"""Key of the access in the WSGI environment of a request."""
NOTHING = Access(scopes=frozenset())
"""The access to what is public."""


def current_access() -> Access:
    """The access of the sender."""
    access: Access = request.environ.get(ACCESS, NOTHING)
    return access


def permitted(verbs: Sequence[Verb]) -> Sequence[Verb]:
    """The verbs of many tasks that the sender may use: all of them, or none."""
    return verbs if current_access().may(Scope.MANAGE) else ()


def own_tasks_of() -> Owner | None:
    """The owner whose tasks alone the sender sees; None if it sees all."""
    return current_access().sees_only
