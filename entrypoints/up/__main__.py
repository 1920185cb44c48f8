"""`python -m entrypoints.up`: run the whole service on this machine, until Ctrl-C."""

import os
import sys

from entrypoints import log_streams
from entrypoints.settings import ConfigurationError, Settings
from entrypoints.up.errors import Refused
from entrypoints.up.interrupts import Interrupts
from entrypoints.up.service import Service

RELOAD = "--reload"
"""The argument with which changes of the user's functions are loaded while the service runs."""


def main() -> int:
    """Run until a signal. The exit status."""
    log_streams.install()
    service = None
    interrupts = Interrupts()
    try:
        if unknown := set(sys.argv[1:]) - {RELOAD}:
            raise Refused(f"there is no argument {' '.join(unknown)}; {RELOAD} is the only one", code=2)
        settings = Settings.from_environment(os.environ)
        # Imported here because that takes a third of a second, in which Ctrl-C has to end this process properly too.
        from entrypoints.up import composition

        server = None if settings.database_url else composition.embedded_postgres()
        service = Service(settings, server, composition.prepare_database, reloads=RELOAD in sys.argv[1:])
        service.run()
    except ConfigurationError as error:
        return print_refusal(error, code=2)
    except Refused as error:
        return print_refusal(error, error.code)
    except KeyboardInterrupt:
        pass
    finally:
        interrupts.start_stopping()
        if service:
            service.stop(interrupts)
    return 0


def print_refusal(sentence: object, code: int) -> int:
    """Print why the service does not run. The exit status."""
    sys.stderr.write(f"flask-tasks: {sentence}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
