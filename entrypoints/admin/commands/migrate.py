"""`migrate`: bring the tables up to date, or print the SQL of that."""

import click

from entrypoints.admin.composition import Composition

UP_TO_DATE = "The tables are up to date."


@click.command()
@click.option("--sql", is_flag=True, help="Print the SQL of what would be done, and do nothing.")
@click.pass_obj
def migrate(admin: Composition, sql: bool) -> None:
    """Bring the tables up to date, as each process does when it starts."""
    migration = admin.storage.migrate()
    if sql:
        click.echo(migration.sql().strip() or f"-- {UP_TO_DATE}")
    else:
        click.echo("The tables were changed, and are up to date." if migration() else UP_TO_DATE)
