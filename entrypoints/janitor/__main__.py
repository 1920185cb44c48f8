"""`python -m entrypoints.janitor`: cleans until it is asked to stop."""

import logging
import signal

from entrypoints import parent_pipes, process
from entrypoints.containers.janitor import JanitorContainer
from entrypoints.containers.postgres_storage import PostgresStorage
from entrypoints.janitor.chores import cleaning, folding, taking_back, ticking
from entrypoints.janitor.rounds import Rounds
from entrypoints.janitor.webhook_loop import WebhookLoop

log = logging.getLogger("entrypoints.janitor")


def main() -> None:
    """Go round until SIGTERM or SIGINT."""
    settings = process.start("janitor")
    storage = PostgresStorage(settings=settings)
    process.prepare_database(storage)
    storage.clock().open()
    container = JanitorContainer(settings=settings, storage=storage)
    chores = [
        ticking(container.tick()),
        cleaning(container.clean()),
        taking_back(container.rescue_from_dead_processes()),
        taking_back(container.rescue()),
        folding(container.fold_counts()),
    ]
    postman = WebhookLoop(container.claim_deliveries(), container.deliver()) if settings.signs else None
    rounds = Rounds(chores, settings.lease)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: rounds.stop())
    if postman:
        postman.open()
    else:
        log.info("WEBHOOK_SECRET is not set: callbacks wait for a janitor that has one")
    log.info("ready")
    parent_pipes.ready("janitor")
    rounds.run()
    if postman:
        postman.close()
    container.shutdown_resources()
    log.info("stopped")


if __name__ == "__main__":
    main()
