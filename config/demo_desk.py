"""People for the desk of the demonstration: dissatisfied ones who take an operator, called one by one while somebody is on duty.

They are a campaign of their own like any other. The play acts as its administrator: it resumes the campaign while an operator is
free and nobody of it is on the line, and pauses it as soon as somebody has answered.
"""

import csv
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.conductor import RemoteExchange
from config.demo_round import Round, say
from config.wiring import House
from survey import fieldwork
from survey.contact_rules import Rules
from survey.fieldwork.clearance import number_of
from survey.incidents import made_up
from survey.incidents.fictitious import chance, english_name
from survey.ladder import LIVE
from survey.reporting import MONTHS_BEFORE, month_before
from survey.store.models import CallAttempt, Campaign, Respondent, Unit
from survey.store.queries import desk

PEOPLE, INCIDENTS = 20, 200
CALLEE = "wants_operator"
CALLS_PER_SECOND = 1 / 60
"""However late the play looks at the desk, nobody is called until the one before has long been answered: they pick up within 16 seconds."""

WAITS = "等值班员空闲 / until an operator is free"
HEADERS = ("到场时间", "警情类别", "处理结果", "处警单位代码", "处警单位", "报警人", "报警人年龄", "报警电话", "处警民警")
ARRIVED, KIND, RESULT, CODE, UNIT, CALLER, AGE, NUMBER, OFFICER = map(made_up.HEADERS.index, HEADERS)


def desk_round(folder: Path, month: str, zone: str, seed: int, language: str, rules: Rules, unit: Unit) -> Round:
    """Write the incidents of the desk's people, all of one unit, into `folder`, and say how they are called.

    Their month lies before the visitors': the sheet of `month` does not look back so far.
    """
    earlier = month_before(month, MONTHS_BEFORE + 2)
    path = folder / f"incidents-{earlier}-desk.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows([made_up.HEADERS, *incidents(earlier, seed, language, unit)])
    name = f"{earlier} 值班台演示 / for the desk"
    return Round(path, made_up.MAPPING, earlier, zone, PEOPLE, seed, language, rules, name, CALLS_PER_SECOND)


def incidents(month: str, seed: int, language: str, unit: Unit) -> Iterator[tuple[str, ...]]:
    """More made-up incidents of the month than people are drawn, each of somebody who may be called, about the unit."""
    numbers = iter(telephones(seed))
    for row in made_up.month_of_incidents(month, seed, INCIDENTS):
        number = next(numbers, None) if row[ARRIVED] else ""
        if number is None:
            return
        if number:
            told = {KIND: "邻里纠纷", RESULT: "现场处理完毕", CODE: unit.code, UNIT: unit.name, AGE: "", NUMBER: number}
            if language != "zh":
                told |= {place: english_name(chance(seed, "desk", row[place])) for place in (CALLER, OFFICER)}
            yield tuple(told.get(place, value) for place, value in enumerate(row))


def telephones(seed: int) -> list[str]:
    """The telephone numbers of the desk's people, in a range that belongs to nobody, and of a few more who are not drawn."""
    return [f"+86100{chance(seed, 'desk', str(place)) % 10**6:06}{place:02}" for place in range(PEOPLE + 10)]


class DeskPlay:
    """Lets the desk's people be called one after the other, each while an operator is free."""

    def __init__(self, house: House, exchange: RemoteExchange, campaign_id: int, seed: int) -> None:
        """Put the people at their numbers, and let the campaign wait for an operator."""
        self._house, self._campaign_id, self._is_told = house, campaign_id, False
        exchange.put_people(CALLEE, telephones(seed))
        self.look()

    def next_number(self) -> str:
        """The number that is dialled next, empty when nobody is left: who opens its telephone in the browser plays that person."""
        mine = select(Respondent).where(Respondent.campaign_id == self._campaign_id, Respondent.state == "waiting")
        with self._house.sessions() as session:
            person = session.scalars(mine.order_by(Respondent.replicate, Respondent.due_at, Respondent.id).limit(1)).first()
            return (number_of(self._house.office, person) or "") if person else ""

    def look(self) -> None:
        """Resume or pause the campaign as the desk stands; say once that everybody has been called."""
        with self._house.unit_of_work() as work:
            campaign = work.session.get_one(Campaign, self._campaign_id)
            states = set(self._live(work.session))
            now = self._house.clock.now()
            is_free = desk.is_operator_free(work.session, now) and not states and not desk.waiting(work.session)
            is_over = states == {"in_progress"} or (not states and not is_free)
            if campaign.state == "paused" and is_free:
                fieldwork.resume(work.session, self._house.office, campaign, "demo", now)
            elif campaign.state == "running" and is_over:
                fieldwork.pause(work.session, self._house.office, campaign, "demo", now, WAITS)
            is_done = campaign.state in ("finished", "stopped")
        if is_done and not self._is_told:
            self._is_told = True
            say(f"值班台 / desk       {PEOPLE} 人均已打完，重新运行演示可再来 / all {PEOPLE} were called: run the demonstration again")

    def _live(self, session: Session) -> list[str]:
        """The statuses of the campaign's calls that have not ended."""
        wanted = select(CallAttempt.status).where(CallAttempt.campaign_id == self._campaign_id, CallAttempt.status.in_(LIVE))
        return list(session.scalars(wanted))
