"""Check that a task or a batch belongs to its sender: to others it is one that does not exist."""

from application.conflict_retry import retry_on_conflict
from application.errors import UnknownBatch, UnknownTask
from application.json.search_terms import owner_term
from application.ports.listing import Filter
from application.ports.unit_of_work import Begin
from domain.ids import BatchId, Owner, TaskId


class CheckOwner:
    """Checks the owner of one task or batch, which is the same as long as that exists."""

    def __init__(self, begin: Begin) -> None:
        self._begin = begin

    @retry_on_conflict
    def of_task(self, id: TaskId, owner: Owner) -> None:
        """Raises UnknownTask: the task does not exist, or belongs to another owner."""
        own = Filter(ids=frozenset({id}), terms=frozenset({owner_term(owner)}))
        with self._begin() as work:
            if not work.listing.search(own, None, 1).tasks:
                raise UnknownTask(id)

    @retry_on_conflict
    def of_batch(self, id: BatchId, owner: Owner) -> None:
        """Raises UnknownBatch: the batch does not exist, or belongs to another owner."""
        with self._begin() as work:
            record = work.batches.get(id)
        if record is None or record.owner != owner:
            raise UnknownBatch(id)
