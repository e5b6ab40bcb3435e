"""The first entries of an empty audit trail, written by many at once, make one whole chain."""

import threading
from datetime import UTC, datetime

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from survey.store import audit
from survey.store.models import AuditHead

KEY = b"audit key of the tests, 32 bytes"
WRITERS = 12


def test_many_first_writers_make_one_chain(engine: Engine) -> None:
    start, problems = threading.Barrier(WRITERS), []

    def write(number: int) -> None:
        start.wait()
        try:
            with Session(engine) as session, session.begin():
                audit.append(session, KEY, datetime.now(UTC), "system", "answer", f"attempt:{number}")
        except Exception as error:
            problems.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert problems == []
    with Session(engine) as session:
        assert list(audit.verify(session, KEY)) == []
        assert session.get_one(AuditHead, 1).n == WRITERS
