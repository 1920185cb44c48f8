"""`python -m entrypoints.up`: everything on this machine, until Ctrl-C."""

import os
import sys

from entrypoints.settings import ConfigurationError, Settings
from entrypoints.up.errors import Refused
from entrypoints.up.interrupts import Interrupts
from entrypoints.up.service import Service


def main() -> int:
    """Run until a signal; the exit status."""
    service = None
    interrupts = Interrupts()
    try:
        settings = Settings.from_environment(os.environ)
        # Here, because it takes a third of a second, in which Ctrl-C should end us as calmly as later.
        from entrypoints.up import composition

        server = None if settings.database_url else composition.embedded_postgres()
        service = Service(settings, server, composition.prepare)
        service.run()
    except ConfigurationError as error:
        return refuse(error, code=2)
    except Refused as error:
        return refuse(error, error.code)
    except KeyboardInterrupt:
        pass
    finally:
        interrupts.only_hurry()
        if service:
            service.stop(interrupts)
    return 0


def refuse(sentence: object, code: int) -> int:
    """Say why not; the exit status that goes with it."""
    sys.stderr.write(f"flask-tasks: {sentence}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
