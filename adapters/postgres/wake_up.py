"""Wake-ups by NOTIFY and LISTEN. Behind a pooler that has no LISTEN none arrives, and polling alone works."""

import logging
import os
import selectors
import time
from collections.abc import Callable, Collection
from contextlib import closing
from threading import Condition, Event, Thread

from sqlalchemy import text

from adapters.postgres.database import Database
from adapters.postgres.session import Session
from application.ports.wake_up import Topic

CHANNELS = {
    Topic.WAITING: "flask_tasks",
    Topic.TAKEN: "flask_tasks",
    Topic.ENDED: "flask_tasks",
    Topic.LIMITS: "flask_tasks",
    Topic.DRAIN: "flask_tasks",
    # A channel of its own, as every outcome is notified here and handlers do not listen for outcomes.
    Topic.CHANGED: "flask_tasks_changes",
}
NOTIFY = text("SELECT set_config('synchronous_commit', 'off', true), pg_notify(:channel, :topic)")
"""Notifies without waiting for the disk: a hint need not survive a crash of the server."""
MIN_GAP_SECONDS = 0.005
"""Seconds between two notifications of one process. One for each row would make commits wait for each other."""
RECONNECT_SECONDS = 1.0
"""Seconds after a failure before the next attempt."""
log = logging.getLogger(__name__)


class PostgresNotifier:
    """Implements application.ports.wake_up.Notifier, by a thread that starts with the first call."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._pending: set[Topic] = set()
        self._changed = Condition()
        self._closed = Event()
        self._thread: Thread | None = None

    def notify(self, topic: Topic) -> None:
        with self._changed:
            self._pending.add(topic)
            if self._thread is None:
                self._thread = Thread(target=self._run, name="notifier", daemon=True)
                self._thread.start()
            self._changed.notify()

    def close(self) -> None:
        """Send the pending notifications, and stop."""
        with self._changed:
            self._closed.set()
            self._changed.notify()
        if self._thread:
            self._thread.join(timeout=2)

    def _run(self) -> None:
        topics = self._next()
        while topics:
            try:
                for topic in topics:
                    self._database.execute_autocommit(NOTIFY, {"channel": CHANNELS[topic], "topic": topic})
                self._closed.wait(MIN_GAP_SECONDS)
                topics = self._next()
            except Exception as error:  # No failure may end the thread: later notifications need it.
                log.debug("could not notify listeners: %s", error)
                if self._closed.wait(RECONNECT_SECONDS):
                    return

    def _next(self) -> set[Topic]:
        """Wait for the next topics to notify. Empty once the notifier is closed and nothing is pending."""
        with self._changed:
            self._changed.wait_for(lambda: self._pending or self._closed.is_set())
            topics, self._pending = self._pending, set()
            return topics


class PostgresListener:
    """Implements application.ports.wake_up.Listener, by a thread that sleeps until a notification arrives."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._closed = Event()
        self._stop_reader, self._stop_writer = os.pipe()
        self._thread: Thread | None = None

    def listen(self, wake: Callable[[Topic], None], topics: Collection[Topic]) -> None:
        self._thread = Thread(target=self._run, args=(wake, topics), name="listener", daemon=True)
        self._thread.start()

    def close(self) -> None:
        if self._closed.is_set():
            return
        self._closed.set()
        os.close(self._stop_writer)
        if self._thread:
            self._thread.join(timeout=2)
        else:
            os.close(self._stop_reader)

    def _run(self, wake: Callable[[Topic], None], topics: Collection[Topic]) -> None:
        def wake_for(payloads: Collection[str]) -> None:
            for topic in topics:
                if topic in payloads and not self._closed.is_set():
                    wake(topic)

        while not self._closed.is_set():
            try:
                with closing(self._database.connect()) as session:
                    session.autocommit = True
                    for channel in {CHANNELS[topic] for topic in topics}:
                        session.cursor().execute(f"LISTEN {channel}")
                    wake_for(topics)
                    self._receive(session, wake_for)
            except Exception as error:  # No failure may end the thread: polling alone is slower.
                log.debug("could not listen for notifications: %s", error)
            self._closed.wait(RECONNECT_SECONDS)
        # Closed by this thread, which uses it until here.
        os.close(self._stop_reader)

    def _receive(self, session: Session, wake_for: Callable[[Collection[str]], None]) -> None:
        """Receive until the session cannot write any more: notifications come from the server that can."""
        # Not select(): it takes no descriptor above 1023, which a process that streams to many clients has.
        with selectors.DefaultSelector() as ready:
            ready.register(session, selectors.EVENT_READ)
            ready.register(self._stop_reader, selectors.EVENT_READ)
            while not self._closed.is_set() and session.can_serve():
                if not session.notifies:  # The check may have received some.
                    ready.select(session.check_at - time.monotonic())
                    session.poll()
                wake_for({notification.payload for notification in session.notifies})
                session.notifies.clear()
