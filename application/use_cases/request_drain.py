"""Ask one handler to stop, on whatever machine it runs: it claims nothing more, lets its tasks finish, and ends."""

from application.conflict_retry import retry_on_conflict
from application.errors import UnknownHandler
from application.ports.clock import Clock
from application.ports.monitoring import DrainRequest, HeldTasks, Liveness
from application.ports.unit_of_work import Begin
from application.ports.wake_up import Notifier, Topic
from application.use_cases.list_handlers import HandlerView
from domain.ids import HandlerId


class RequestDrain:
    """Notes the request in the storage, where the handler looks for it about once a second."""

    def __init__(self, begin: Begin, clock: Clock, notifier: Notifier) -> None:
        self._begin = begin
        self._clock = clock
        self._notifier = notifier

    @retry_on_conflict
    def __call__(self, handler: HandlerId, request: DrainRequest) -> HandlerView:
        """The handler that was asked, with the tasks that it holds. Raises UnknownHandler: no such handler lives."""
        now = self._clock.now()
        with self._begin() as work:
            live = {each.id: each for each in work.monitoring.handlers(now, 0)}
            if handler not in live or not work.types.ask_to_drain(handler, request):
                raise UnknownHandler(handler, [id for id, each in live.items() if each.liveness(now) is Liveness.LIVE])
            held = work.monitoring.held_tasks(0).get(handler, HeldTasks())
            work.commit()
        self._notifier.notify(Topic.DRAIN)
        return HandlerView(live[handler], live[handler].liveness(now), held)
