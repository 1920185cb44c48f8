"""`migrate`: bring the tables up to date."""

import click

from entrypoints.admin.composition import Composition


@click.command()
@click.pass_obj
def migrate(admin: Composition) -> None:
    """Bring the tables up to date, as each process does when it starts."""
    had_to = admin.storage.migrate()()
    click.echo("The tables were changed, and are up to date." if had_to else "The tables are up to date.")
