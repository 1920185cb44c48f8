"""The command `up`: run the whole service on this machine, until it is told to stop."""

import os
import sys

from entrypoints import log_streams
from entrypoints.settings import ConfigurationError, Settings
from entrypoints.startup import CONFIGURATION_EXIT_CODE
from entrypoints.up import composition
from entrypoints.up.errors import Refused
from entrypoints.up.interrupts import Interrupts
from entrypoints.up.service import Service

RELOAD = "--reload"
"""The argument with which changes of the user's functions are loaded while the service runs."""


def run(interrupts: Interrupts) -> int:
    """Run until Interrupt, which is raised on when everything has ended. The exit status."""
    log_streams.install()
    service = None
    try:
        if unknown := set(sys.argv[1:]) - {RELOAD}:
            raise Refused(
                f"there is no argument {' '.join(unknown)}; {RELOAD} is the only one", CONFIGURATION_EXIT_CODE
            )
        settings = Settings.from_environment(os.environ)
        server = None if settings.database_url else composition.embedded_postgres()
        service = Service(settings, server, composition.prepare_database, interrupts, RELOAD in sys.argv[1:])
        service.run()
    except ConfigurationError as error:
        return print_refusal(error, CONFIGURATION_EXIT_CODE)
    except Refused as error:
        return print_refusal(error, error.code)
    finally:
        interrupts.start_stopping()
        if service:
            service.stop()
    return 0


def print_refusal(sentence: object, code: int) -> int:
    """Print why the service does not run. The exit status."""
    sys.stderr.write(f"flask-tasks: {sentence}\n")
    return code
