"""Objects that have to be closed, as resources of a container."""

from collections.abc import Callable, Iterator
from typing import Any, ParamSpec, Protocol, TypeVar

from entrypoints.containers.injector import providers

P = ParamSpec("P")


class Closable(Protocol):
    """Has something to give back: a connection, a thread, a process."""

    def close(self) -> None: ...


C = TypeVar("C", bound=Closable)


def resource(make: Callable[P, C], *args: Any) -> "providers.Resource[Any]":
    """A provider of one object, made when it is first asked for and closed by the container's `shutdown_resources`."""

    def opened(*given: P.args, **more: P.kwargs) -> Iterator[C]:
        made = make(*given, **more)
        yield made
        made.close()

    return providers.Resource(opened, *args)
