"""`python -m entrypoints.up`: everything on this machine, until Ctrl-C."""

import os
import sys
from pathlib import Path

from entrypoints.settings import ConfigurationError, Settings
from entrypoints.up import interrupts
from entrypoints.up.errors import Refused
from entrypoints.up.server import Server
from entrypoints.up.service import Service

DATA = Path(".data")


def main() -> int:
    """Run until a signal; the exit status."""
    try:
        settings = Settings.from_environment(os.environ)
    except ConfigurationError as error:
        return refuse(error, code=2)
    service = Service(settings, None if settings.database_url else embedded_postgres())
    hurry = interrupts.listen()
    try:
        service.run()
    except Refused as refused:
        return refuse(refused, refused.code)
    except KeyboardInterrupt:
        return 0
    finally:
        service.stop(hurry)
    return 0


def embedded_postgres() -> Server:
    """The server of the working directory."""
    # Imported where it is needed: it brings everything that there is to compose.
    from entrypoints.container import Container

    return Container.embedded_postgres(DATA)


def refuse(sentence: object, code: int) -> int:
    """Say why not; the exit status that goes with it."""
    sys.stderr.write(f"flask-tasks: {sentence}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
