"""The command line: its commands, and what they share with each other."""

import os
from collections.abc import Sequence
from typing import Any

import click

from entrypoints.admin.commands.change import cancel, purge, retry
from entrypoints.admin.commands.doctor import doctor
from entrypoints.admin.commands.drain import drain
from entrypoints.admin.commands.handlers import handlers
from entrypoints.admin.commands.keys import keys
from entrypoints.admin.commands.migrate import migrate
from entrypoints.admin.commands.tasks import tasks
from entrypoints.admin.commands.types import types
from entrypoints.admin.composition import Composition
from entrypoints.admin.errors import WrongConfiguration, sentence
from entrypoints.admin.output import printable
from entrypoints.settings import ConfigurationError

COMMANDS: Sequence[click.Command] = (types, handlers, drain, tasks, cancel, retry, purge, keys, migrate, doctor)
"""The commands and groups of commands, in the order of the help. Each group has a module in `commands/`."""


class CommandLine(click.Group):
    """Turns every error into one sentence on standard error."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ConfigurationError as error:
            raise WrongConfiguration(str(error)) from error
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except Exception as error:
            raise click.ClickException(printable(sentence(error))) from error


@click.group(cls=CommandLine, commands=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.pass_context
def command_line(context: click.Context) -> None:
    """Operate the service: look at it, change tasks, stop handlers, find what is wrong.

    It reads DATABASE_URL and the other variables as the processes of the service do. Without DATABASE_URL it uses the
    database of an `up` that runs in this folder.
    """
    if context.obj is None:
        context.obj = Composition(os.environ)
        context.call_on_close(context.obj.close)
