"""One transaction at the border: commit or roll back whole, wake workers and tell open pages only after the commit."""

from types import TracebackType

from sqlalchemy.orm import Session, sessionmaker

from survey.ports import Announcer, JobQueue
from survey.store import audit, topics
from survey.store.calendar_overlay import keep_current


class UnitOfWork:
    """A session with the jobs that its commit shall wake.

    Opened once per web-hook, page post or job; nobody inside commits. A crash between commit and wake-up
    loses the wake-up only: every job can be derived again from the rows by the sweep, and every page looks again by itself. What
    is noted for the audit trail is written last, because the trail is locked from then on.
    """

    def __init__(self, sessions: sessionmaker[Session], queue: JobQueue, announcer: Announcer | None = None) -> None:
        self._sessions = sessions
        self._queue = queue
        self._announcer = announcer
        self._later: list[tuple[str, int, int]] = []
        self.session: Session

    def __enter__(self) -> "UnitOfWork":
        self.session = self._sessions()
        audit.collect(self.session)
        topics.collect(self.session)
        try:
            keep_current(self.session)
        except BaseException:  # nobody else would close it
            self.session.close()
            raise
        return self

    def later(self, job: str, row_id: int, epoch: int = 0) -> None:
        """Wake a worker for the row once this unit of work has been committed."""
        self._later.append((job, row_id, epoch))

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        changed: frozenset[str] = frozenset()
        try:
            if kind is None:
                audit.write_collected(self.session)
                self.session.commit()
                changed = topics.collected(self.session)
            else:
                self.session.rollback()
        finally:
            self.session.close()
        if kind is None:
            for job, row_id, epoch in self._later:
                self._queue.enqueue(job, row_id, epoch)
        if changed and self._announcer:
            self._announcer.announce(changed)
