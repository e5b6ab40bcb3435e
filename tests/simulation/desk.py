"""What people at the desk do while calls go out: pace and caps are changed, calls are booked, reviews are decided."""

from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random

from sqlalchemy import select
from sqlalchemy.orm import Session

from survey import fieldwork
from survey.errors import BadInput, NotAllowed
from survey.fieldwork import reviews
from survey.store.models import Campaign, Respondent
from tests.simulation.world import World

CAP = 2


class Desk:
    """Acts by chance, and never allows more than the campaign began with, so that its first terms stay the ones to judge by.

    `promised` keeps, by incident, the times that were booked; `done` counts what was done.
    """

    def __init__(self, world: World, lines: int, calls_per_second: float) -> None:
        self.world, self.most = world, (lines, calls_per_second)
        self.chance = Random(f"desk {world.seed}")
        self.promised: dict[int, list[datetime]] = {}
        self.done: dict[str, int] = {}

    def act(self) -> None:
        """Do one thing; what the rules forbid at this moment is left."""
        act = self.chance.choice((self._pace, self._limits, self._book, self._review))
        with self.world.calmly() as work:
            campaign = self.chance.choice(list(work.session.scalars(select(Campaign).order_by(Campaign.id))))
            self._try(act, work.session, campaign)

    def _try(self, act: Callable[[Session, Campaign], bool], session: Session, campaign: Campaign) -> None:
        try:
            done = act(session, campaign)
        except (BadInput, NotAllowed):
            return
        if done:
            name = act.__name__.strip("_")
            self.done[name] = self.done.get(name, 0) + 1
            self.world.hub.note(f"desk: {name} in campaign {campaign.id}")

    def _pace(self, session: Session, campaign: Campaign) -> bool:
        lines, rate = self.chance.randint(1, self.most[0]), self.most[1] * self.chance.choice((0.5, 1.0))
        fieldwork.change_pace(
            session, self.world.office, campaign, "tester", self.world.clock.now(), lines=lines, calls_per_second=rate, reason="tried"
        )
        return True

    def _limits(self, session: Session, campaign: Campaign) -> bool:
        cap = None if campaign.hourly_calls else CAP
        fieldwork.change_limits(
            session, self.world.office, campaign, "tester", self.world.clock.now(), hourly_calls=cap, daily_calls=cap, reason="tried"
        )
        return True

    def _book(self, session: Session, campaign: Campaign) -> bool:
        waiting = list(session.scalars(select(Respondent).where(Respondent.campaign_id == campaign.id, Respondent.state == "waiting")))
        if not waiting:
            return False
        respondent, now = self.chance.choice(waiting), self.world.clock.now()
        at = now + timedelta(minutes=self.chance.randint(30, 300))
        fieldwork.book(session, self.world.office, respondent, at, "tester", now)
        self.promised.setdefault(respondent.incident_id, []).append(at)
        return True

    def _review(self, session: Session, campaign: Campaign) -> bool:
        waiting = reviews.needs_review(session, campaign.id)
        for each in waiting:
            reviews.resolve(session, self.world.office, each.respondent_id, "close", "tester", "looked into", self.world.clock.now())
        return bool(waiting)
