"""`drain`: ask one handler to stop, on whatever machine it runs."""

import click

from application.diagnosis.wording import counted
from application.ports.monitoring import DrainRequest
from domain.ids import HandlerId
from entrypoints.admin.composition import Composition

HOW_LONG = {
    DrainRequest.GRACE: "may finish within its GRACE",
    DrainRequest.UNLIMITED: "may finish however long they take",
}


@click.command()
@click.argument("handler")
@click.option("--unlimited", is_flag=True, help="Let its tasks finish however long they take, as on SIGUSR1.")
@click.pass_obj
def drain(admin: Composition, handler: str, unlimited: bool) -> None:
    """Ask a handler to stop, as SIGTERM does on its machine.

    It claims nothing more, lets its running tasks finish within its GRACE, gives the others back, and ends. It sees the
    request in the database within about a second. Where a supervisor of processes starts another one in its place,
    that one is a new handler, which claims tasks.
    """
    request = DrainRequest.UNLIMITED if unlimited else DrainRequest.GRACE
    asked = admin.use_cases.request_drain()(HandlerId(handler), request)
    running = f"The {counted(asked.held.started)} that it runs {HOW_LONG[request]}."
    click.echo(f"Handler {handler} is asked to stop. {running if asked.held.started else 'It runs nothing.'}")
