"""Sentences about a validation error, each with the path of its place: `$.a.0.b`, or `$` for the whole."""

from collections.abc import Iterable, Iterator, Sequence, Set

from jsonschema_rs import ValidationError
from jsonschema_rs import ValidationErrorKind as Kind

from application.json.places import Place, shown

Message = tuple[str, str]


def depends_on(error: ValidationError, places: Set[Place], above: Set[Place]) -> bool:
    """Whether an error depends on the value of one of these places. `above`: all that contain one of them."""
    path = tuple(error.instance_path)
    if any(path[:length] in places for length in range(len(path) + 1)):
        return True
    is_about_names = isinstance(error.kind, Kind.Required | Kind.AdditionalProperties)
    return path in above and not is_about_names


def messages(error: ValidationError) -> Iterator[Message]:
    """The messages of an error: one, or several if it is about several members."""
    match error.kind:
        case Kind.Required(name):
            yield shown([*error.instance_path, name]), "is required"
        case Kind.AdditionalProperties(names) | Kind.UnevaluatedProperties(names):
            for name in names:
                yield shown([*error.instance_path, name]), "is not expected here"
        case Kind.FalseSchema():
            yield shown(error.instance_path), "is not expected here"
        case Kind.AnyOf(branches) | Kind.OneOfNotValid(branches):
            yield from _of_branches(error, branches)
        case _:
            yield shown(error.instance_path), error.message


def _of_branches(error: ValidationError, branches: Sequence[Sequence[ValidationError]]) -> Iterator[Message]:
    """The messages of the first branch whose errors are all about members, since it was meant, else of all branches."""
    for branch in branches:
        if all(len(each.instance_path) > len(error.instance_path) for each in branch):
            yield from _of_all(branch)
            return
    yield shown(error.instance_path), ", and ".join(sentence for branch in branches for _, sentence in _of_all(branch))


def _of_all(errors: Iterable[ValidationError]) -> Iterator[Message]:
    for error in errors:
        yield from messages(error)
