"""A disk that fills in the middle of a call: the person hears a sentence, nothing is half kept, and it goes on by itself (RS47)."""

import pytest
from sqlalchemy import event, func, select
from sqlalchemy.exc import OperationalError

from survey.store.models import CallAttempt, Turn
from tests.conftest import ON_SQLITE_ALONE
from tests.ivr.voice.conftest import Line, document, next_url
from tests.survey.fieldwork.conftest import Ground

FAR_AWAY, ENOUGH = 1000, 500


class Disk:
    """Every connection of the engine may let the file grow or not; SQLite itself says that the disk is full."""

    def __init__(self, ground: Ground) -> None:
        self.pages = 2**30
        event.listen(ground.engine, "checkout", lambda connection, *rest: connection.execute(f"PRAGMA max_page_count={self.pages}"))

    def fill(self, ground: Ground) -> None:
        """Let no file grow, and fill the last page on which a turn could still be kept."""
        self.pages = 1  # SQLite takes it for: no page more than there are
        with pytest.raises(OperationalError, match="full"):
            _add_turns(ground)


def _add_turns(ground: Ground) -> None:
    with ground.sessions() as session:
        attempt_id = session.scalars(select(CallAttempt.id)).one()
    for step in range(FAR_AWAY, FAR_AWAY + ENOUGH):
        with ground.sessions.begin() as session:
            session.add(Turn(attempt_id=attempt_id, step=step, node="", event={}, reply="", at=ground.now))


def kept(ground: Ground) -> tuple[int, int]:
    """The attempt's step, and how many turns of the call there are."""
    with ground.sessions() as session:
        turns = select(func.count()).select_from(Turn).where(Turn.step < FAR_AWAY)
        return session.scalars(select(CallAttempt.step)).one(), session.scalar(turns) or 0


@ON_SQLITE_ALONE
def test_the_call_hears_an_excuse_then_a_farewell_and_goes_on_once_there_is_room(ground: Ground, line: Line) -> None:
    disk = Disk(ground)
    asked_for = next_url(line.step(0))
    disk.fill(ground)

    excuse = document(line.post(asked_for, line._standard(Digits="1")))
    assert next_url(excuse).endswith("?again=1")
    farewell = document(line.post(next_url(excuse), line._standard(Digits="1")))
    assert [verb.tag for verb in farewell][-1] == "Hangup"
    assert line.hook("status", CallStatus="ringing").status_code in (204, 503)
    assert kept(ground) == (1, 1), "a turn was half kept"

    disk.pages = 2**30
    document(line.post(asked_for, line._standard(Digits="1")))
    assert kept(ground) == (2, 2)
