"""What people do while calls go out: at the desk pace and limits are changed, calls are booked, reviews decided; others call us."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

from sqlalchemy import select
from sqlalchemy.orm import Session

from ivr.carrier.simulator.callees import kind_of
from ivr.carrier.simulator.clock import moment
from ivr.carrier.simulator.persona import Persona
from survey import fieldwork
from survey.errors import BadInput, NotAllowed
from survey.fieldwork import holds, reviews
from survey.holds import HoldReason
from survey.store.models import Campaign, Respondent
from tests.simulation.ledger import Promise
from tests.simulation.world import CALLER_ID, World

CAP = 2
STRANGER = "+861000009999"


class Desk:
    """Acts by chance, and never allows more than the campaign began with, so that its first terms stay the ones to judge by.

    What the judges must know is kept by the carrier's clock: `promises` that were made; `refused`, when a number was refused
    by letter; `pauses` of each campaign. `done` counts what was done.
    """

    def __init__(self, world: World, lines: int, calls_per_second: float) -> None:
        self.world, self.most = world, (lines, calls_per_second)
        self.chance = Random(f"desk {world.seed}")
        self.promises: list[Promise] = []
        self.refused: dict[str, datetime] = {}
        self.pauses: dict[str, list[tuple[datetime, datetime | None]]] = {}
        self.done: dict[str, int] = {}

    @property
    def _moment(self) -> datetime:
        return moment(self.world.exchange_clock.now())

    def act(self) -> None:
        """Do one thing; what the rules forbid at this moment is left."""
        act = self.chance.choice((self._pace, self._limits, self._book, self._book, self._review, self._letter, self._visit, self._visit))
        with self.world.calmly() as work:
            latest = select(Campaign).order_by(Campaign.id.desc()).limit(2)
            campaign = self.chance.choice(list(work.session.scalars(latest)))
            self._try(act, work.session, campaign)

    def pause(self) -> None:
        """Pause every campaign that runs; once in a while it is stopped for good."""
        with self.world.calmly() as work:
            for campaign in work.session.scalars(select(Campaign).where(Campaign.state == "running").order_by(Campaign.id)):
                self._try(self._stop if self.chance.random() < 0.05 else self._pause, work.session, campaign)

    def let_go_on(self) -> bool:
        """Let every paused campaign go on; whether there was one."""
        with self.world.calmly() as work:
            paused = work.session.scalars(select(Campaign).where(Campaign.state == "paused").order_by(Campaign.id)).all()
            for campaign in paused:
                self._try(self._resume, work.session, campaign)
        return bool(paused)

    def resume(self) -> None:
        """Let every paused campaign go on, decide reviews, and lift the holds that only a person may lift: as often as not."""
        with self.world.calmly() as work:
            for campaign in work.session.scalars(select(Campaign).where(Campaign.state == "running").order_by(Campaign.id)):
                if self.chance.random() < 0.3:  # else it never ends
                    self._try(self._review, work.session, campaign)
            if self.chance.random() < 0.5:
                for campaign in work.session.scalars(select(Campaign).where(Campaign.state == "paused").order_by(Campaign.id)):
                    self._try(self._resume, work.session, campaign)
            for hold in holds.standing_holds(work.session):
                if HoldReason.from_word(hold.reason).needs_person and self.chance.random() < 0.3:
                    self._note(f"hold {hold.reason} is lifted", "lift")
                    holds.lift(work.session, self.world.office, hold.id, "tester", "looked into", self.world.clock.now())

    def _try(self, act: Callable[[Session, Campaign], bool], session: Session, campaign: Campaign) -> None:
        try:
            done = act(session, campaign)
        except (BadInput, NotAllowed):
            return
        if done:
            self._note(f"desk: {act.__name__.strip('_')} in campaign {campaign.id}", act.__name__.strip("_"))

    def _note(self, words: str, name: str) -> None:
        self.done[name] = self.done.get(name, 0) + 1
        self.world.hub.note(words)

    def _pause(self, session: Session, campaign: Campaign) -> bool:
        fieldwork.pause(session, self.world.office, campaign, "tester", self.world.clock.now())
        self.pauses.setdefault(str(campaign.id), []).append((self._moment, None))
        return True

    def _resume(self, session: Session, campaign: Campaign) -> bool:
        fieldwork.resume(session, self.world.office, campaign, "tester", self.world.clock.now())
        mine = self.pauses.get(str(campaign.id), [])
        if mine:  # the house may have halted it by itself
            mine[-1] = (mine[-1][0], mine[-1][1] or self._moment)
        return True

    def _stop(self, session: Session, campaign: Campaign) -> bool:
        fieldwork.stop(session, self.world.office, campaign, "tester", self.world.clock.now(), "enough")
        self.pauses.setdefault(str(campaign.id), []).append((self._moment, None))
        return True

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
        respondent = self._somebody(session, campaign, "waiting")
        if respondent is None:
            return False
        now = self.world.clock.now()
        at = now + timedelta(minutes=self.chance.randint(30, 300))
        fieldwork.book(session, self.world.office, respondent, at, "tester", now)
        self.promises.append(Promise(respondent.id, self._moment, at))
        return True

    def _review(self, session: Session, campaign: Campaign) -> bool:
        waiting = reviews.needs_review(session, campaign.id)
        for each in waiting:
            reviews.resolve(session, self.world.office, each.respondent_id, "close", "tester", "looked into", self.world.clock.now())
        return bool(waiting)

    def _letter(self, session: Session, campaign: Campaign) -> bool:
        """Somebody writes that they want no calls."""
        respondent = self._somebody(session, campaign)
        if respondent is None or self.chance.random() < 0.5:
            return False
        number = self.world.ground.incidents[respondent.incident_id]
        fieldwork.opt_out(session, self.world.office, respondent.phone_key or b"", "by letter", self.world.clock.now())
        self.refused.setdefault(number, self._moment)
        return True

    def _visit(self, session: Session, campaign: Campaign) -> bool:
        """Somebody calls us, answers or refuses, or puts it off; sometimes it is nobody whom we know."""
        respondent = None if self.chance.random() < 0.1 else self._somebody(session, campaign)
        number = self.world.ground.incidents[respondent.incident_id] if respondent else STRANGER
        wish = self.chance.choice((None, None, None, "later", "never", "human"))
        traits = replace(kind_of(number).traits, pick_up="human", answers_from=1, before="no-answer", asks_for=wish)
        self.world.exchange.receive(number, CALLER_ID, Persona(traits, number, self.world.seed, 1))
        return True

    def _somebody(self, session: Session, campaign: Campaign, *states: str) -> Respondent | None:
        theirs = select(Respondent).where(Respondent.campaign_id == campaign.id).order_by(Respondent.id)
        found = list(session.scalars(theirs.where(Respondent.state.in_(states)) if states else theirs))
        return self.chance.choice(found) if found else None
