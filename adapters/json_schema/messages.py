"""Sentences about a validation error, each with the path of its place: `$.a.0.b`, or `$` for the whole."""

from collections.abc import Iterable, Iterator, Sequence

from jsonschema_rs import ValidationError
from jsonschema_rs import ValidationErrorKind as Kind

Message = tuple[str, str]


def messages(error: ValidationError) -> Iterator[Message]:
    """The messages of an error: one, or several if it is about several members."""
    match error.kind:
        case Kind.Required(name):
            yield _path([*error.instance_path, name]), "is required"
        case Kind.AdditionalProperties(names) | Kind.UnevaluatedProperties(names):
            for name in names:
                yield _path([*error.instance_path, name]), "is not expected here"
        case Kind.FalseSchema():
            yield _path(error.instance_path), "is not expected here"
        case Kind.AnyOf(branches) | Kind.OneOfNotValid(branches):
            yield from _of_branches(error, branches)
        case _:
            yield _path(error.instance_path), error.message


def _of_branches(error: ValidationError, branches: Sequence[Sequence[ValidationError]]) -> Iterator[Message]:
    """The messages of the first branch whose errors are all about members, since it was meant, else of all branches."""
    for branch in branches:
        if all(len(each.instance_path) > len(error.instance_path) for each in branch):
            yield from _of_all(branch)
            return
    yield _path(error.instance_path), ", and ".join(sentence for branch in branches for _, sentence in _of_all(branch))


def _of_all(errors: Iterable[ValidationError]) -> Iterator[Message]:
    for error in errors:
        yield from messages(error)


def _path(steps: Iterable[str | int]) -> str:
    return ".".join(("$", *(str(step)[:80] for step in steps)))
