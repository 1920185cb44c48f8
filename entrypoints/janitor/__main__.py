"""`python -m entrypoints.janitor`: cleans until it is asked to stop."""

import logging
import signal

from entrypoints import lifeline, process
from entrypoints.container import Container
from entrypoints.janitor.rounds import Rounds

log = logging.getLogger("entrypoints.janitor")


def main() -> None:
    """Go round until SIGTERM or SIGINT."""
    settings = process.start("janitor")
    container = Container(settings=settings)
    process.prepare_database(container)
    container.clock().open()
    rounds = Rounds(container.clean(), container.rescue(), container.bury(), settings.lease)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: rounds.stop())
    log.info("ready")
    lifeline.ready("janitor")
    rounds.run()
    container.notifier().close()
    container.clock().close()
    log.info("stopped")


if __name__ == "__main__":
    main()
