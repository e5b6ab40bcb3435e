"""Every incident shows which of the four levels took place (R1, R2)."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from survey import casework
from survey.casework.register import Signing
from survey.errors import BadInput, NotAllowed
from survey.store.models import Escalation, Incident
from survey.store.queries.ledger import LedgerLine, ledger
from tests.survey.casework.conftest import IMPROVED, Bureau

ZONE = "Asia/Shanghai"


def enter(bureau: Bureau, state: str = "signed", reason: str = "") -> None:
    with bureau.ground.work() as work:
        incident = work.session.scalars(select(Incident)).first()
        assert incident is not None
        at = bureau.now - timedelta(days=13)
        casework.enter(work.session, bureau.ground.office, incident, Signing(state, "周警官", at, reason), "centre.li", bureau.now)


def lines(bureau: Bureau, *, inspection: bool = False) -> list[LedgerLine]:
    with bureau.ground.sessions() as session:
        return ledger(session, bureau.ground.office.keys, session.scalars(select(Incident.id)).one(), ZONE, inspection=inspection)


def test_the_four_levels_stand_in_the_order_in_which_they_took_place(bureau: Bureau) -> None:
    [order_id] = bureau.issued()
    enter(bureau)
    bureau.ground.clock.advance(hours=5)
    bureau.answered(order_id)
    bureau.ground.clock.advance(days=1)
    bureau.recall(order_id, "satisfied")

    found = lines(bureau)

    assert [(line.level, line.by, line.result) for line in found] == [
        ("on_site", "周警官", "signed"), ("telephone", "system", "complete"), ("home_visit", "officer.zhou", "substantiated"),
        ("re_callback", "system", "satisfied"),
    ]  # fmt: skip
    assert found[1].answers == {"speed": "dissatisfied", "attitude": "very_dissatisfied", "outcome": "satisfied"}
    assert [line.at for line in found] == sorted(line.at for line in found)


def test_without_consent_there_is_no_home_visit(bureau: Bureau) -> None:
    [order_id] = bureau.issued(consent="no")
    bureau.answered(order_id, IMPROVED)

    assert [line.level for line in lines(bureau)] == ["telephone"]


def test_what_followed_an_allegation_of_abuse_is_shown_to_inspection_alone(bureau: Bureau) -> None:
    [order_id] = bureau.issued()
    bureau.answered(order_id)
    with bureau.ground.work() as work:
        work.session.execute(update(Escalation).values(route="inspection"))

    assert [line.level for line in lines(bureau)] == ["telephone"]
    assert [line.level for line in lines(bureau, inspection=True)] == ["telephone", "home_visit"]


def test_an_incident_has_exactly_one_entry_of_the_register(bureau: Bureau) -> None:
    bureau.cases()
    with pytest.raises(BadInput, match="reason is needed"):
        enter(bureau, "unable")
    with pytest.raises(BadInput, match="signed, refused, unable, missing"):
        enter(bureau, "perhaps")
    enter(bureau, "unable", "当事人住院")

    with pytest.raises(NotAllowed, match="has its entry"):
        enter(bureau)
    assert [line.result for line in lines(bureau)] == ["unable", "complete"]
