"""Close a batch: no task is added to it any more, and it can finish."""

from application.conflict_retry import retry_on_conflict
from application.errors import UnknownBatch
from application.ports.unit_of_work import Begin
from application.use_cases.finish_batches import FinishBatches
from domain.ids import BatchId


class CloseBatch:
    """Closes one batch. Closing it again is no error. Raises UnknownBatch: the batch does not exist."""

    def __init__(self, begin: Begin, finish: FinishBatches) -> None:
        self._begin = begin
        self._finish = finish

    def __call__(self, id: BatchId) -> None:
        """Close the batch, and finish it if its tasks have all finished."""
        self._close(id)
        self._finish([id])

    @retry_on_conflict
    def _close(self, id: BatchId) -> None:
        with self._begin() as work:
            batch = work.batches.lock(id)
            if batch is None:
                raise UnknownBatch(id)
            if batch.is_open:
                work.batches.save(batch.closed())
                work.commit()
