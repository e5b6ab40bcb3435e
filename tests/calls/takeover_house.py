"""A small house with a desk: people who want an operator, operators with telephones, and what everybody has heard."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from ivr.carrier.simulator import desk_telephones
from ivr.carrier.simulator.calls import TALK, Call, Heard
from ivr.carrier.simulator.effects import PutDown
from ivr.carrier.simulator.parameters import standard
from ivr.carrier.simulator.persona import RATED, Traits
from ivr.carrier.simulator.webhooks import WebHooks
from survey import desk
from survey.accounts.administration import add
from survey.accounts.people import Hand, NewAccount
from survey.store.models import AuditEntry, CallAttempt, Campaign, Duty, Escalation, Offer, Respondent, Takeover, User
from tests.attendance import attend
from tests.calls import small_house
from tests.calls.small_house import SmallHouse
from tests.survey.fieldwork.conftest import Ground

BEAT, STRIDE = timedelta(seconds=1), timedelta(seconds=5)
LONGEST_SECONDS = 900
LONGEST_SILENCE = 3.0
"""O15."""

UNHAPPY = Traits(ratings={"speed": "4", "attitude": "5", "outcome": "4", "equipment": "2", "appearance": "2"}, wants_operator=True)
ASKS = Traits(ratings=dict.fromkeys(RATED, "2"), asks_for="human", asks_at="attitude")


@dataclass
class Desk:
    """The small house, seen from its desk."""

    house: SmallHouse
    sweeps: bool = True
    users: dict[str, User] = field(default_factory=dict)
    expected_problems: list[str] = field(default_factory=list)

    @property
    def ground(self) -> Ground:
        return self.house.ground

    @property
    def now(self) -> datetime:
        return self.house.runtime.clock.now()

    def operator(self, name: str, telephone: str = "desk_takes", which: int = 0) -> User:
        """An operator on duty with a telephone of that kind."""
        office, number = self.ground.office, desk_telephones.number_of(telephone, which)
        with self._work() as work:
            hand = Hand("tester", self.now, office.keys, office.audit_key, office.numbers)
            add(work.session, hand, NewAccount(name, "operator", name.title(), telephone=number))
            user = work.session.scalars(select(User).where(User.name == name)).one()
            login = attend(work.session, user, f"login of {name}", self.now)
            desk.duty.begin(work.session, office, user, login, self.now)
        self.users[name] = user
        return user

    def launch(self, traits: Traits, people: int = 1, *, language: str = "zh") -> int:
        """A running campaign of people with these traits; its id."""
        self.ground.clock.moment = self.now
        campaign_id = self.ground.launch(people, language=language)
        self.house.everybody_is(traits)
        return campaign_id

    def beat(self, seconds: float = BEAT.total_seconds()) -> None:
        """Let that much virtual time pass, and do what is due."""
        self.house.exchange.run_until(self.now + timedelta(seconds=seconds))
        self.house.queue.work_off(self.house.pool)
        if self.sweeps:
            self.house.round()

    def until(self, happened: Callable[[], object], seconds: float = LONGEST_SECONDS) -> None:
        """Let virtual time pass until something has happened; in strides as long as nobody is at the desk."""
        end = self.now + timedelta(seconds=seconds)
        while not happened():
            assert self.now < end, f"it does not happen; {self.takeovers()}"
            self.beat((BEAT if self._is_busy() else STRIDE).total_seconds())

    def until_waiting(self, calls: int = 1) -> Takeover:
        """Let so many people wait for an operator; the newest takeover."""
        self.until(lambda: sum(each.state == "waiting" for each in self.takeovers()) == calls)
        return self.takeover()

    def until_state(self, *states: str, seconds: float = 120) -> Takeover:
        """Let the newest takeover come to one of these states."""
        self.until(lambda: self.takeover().state in states, seconds)
        return self.takeover()

    def until_talking(self, user: User) -> Takeover:
        """Have an operator take the call that waits, and talk."""
        self.until_waiting()
        self.claim(user)
        self.until(lambda: self.takeover().bridged_at, 60)
        return self.takeover()

    def until_over(self) -> None:
        """Let everything come to its end: calls, the desk, the campaign."""
        self.until(lambda: self.state() == "ended" and all(call.ended for call in self.house.exchange.calls.values()))

    def state(self) -> str:
        """What has become of the campaign."""
        with self.ground.sessions() as session:
            return "ended" if session.scalars(select(Campaign)).one().state != "running" else "running"

    def claim(self, user: User, takeover: Takeover | None = None) -> None:
        """An operator accepts a call on the screen; the jobs of that moment run."""
        wanted = (takeover or self.takeover()).public_id
        with self._work() as work:
            desk.claim(work, self.ground.office, wanted, work.session.get_one(User, user.id), self.now)
        self.house.queue.work_off(self.house.pool)

    def wish(self, user: User, what: str) -> None:
        """An operator gives the call back, or ends it."""
        wanted = self.takeover().public_id
        with self._work() as work:
            desk.wish(work, self.ground.office, wanted, work.session.get_one(User, user.id), what, self.now)
        self.house.queue.work_off(self.house.pool)

    def write(self, user: User, item: str, code: str) -> None:
        """An operator writes an answer down."""
        wanted = self.takeover().public_id
        with self._work() as work:
            own = work.session.get_one(User, user.id)
            desk.write_answer(work.session, self.ground.office, wanted, own, item, code, self.now)

    def wrap_up(self, user: User, verdict: str = "call_back", consent: str = "yes", remark: str = "") -> None:
        """An operator sorts the call out."""
        wanted = self.takeover().public_id
        with self._work() as work:
            own = work.session.get_one(User, user.id)
            desk.wrap_up(work.session, self.ground.office, wanted, own, desk.WrapUp(verdict, consent, remark), self.now)

    def takeovers(self) -> list[Takeover]:
        with self.ground.sessions() as session:
            return list(session.scalars(select(Takeover).order_by(Takeover.id)))

    def takeover(self) -> Takeover:
        """The newest one."""
        return self.takeovers()[-1]

    def duty(self, user: User) -> tuple[str, str]:
        """State and note."""
        with self.ground.sessions() as session:
            row = session.get_one(Duty, user.id)
            return row.state, row.note

    def offers(self) -> list[tuple[str, int, str]]:
        """Who was offered what in which round, and what came of it."""
        with self.ground.sessions() as session:
            rows = session.execute(select(User.name, Offer.round, Offer.outcome).join(User, Offer.user_id == User.id).order_by(Offer.id))
            return [(row[0], row[1], row[2]) for row in rows]

    def attempt(self) -> CallAttempt:
        """The newest call to a person."""
        with self.ground.sessions() as session:
            return session.scalars(select(CallAttempt).order_by(CallAttempt.id.desc()).limit(1)).one()

    def answers(self) -> dict[str, str]:
        """What the flow of the newest call knows."""
        return dict((self.attempt().flow_state or {}).get("answers", {}))

    def person(self) -> Respondent:
        with self.ground.sessions() as session:
            return session.scalars(select(Respondent).order_by(Respondent.id).limit(1)).one()

    def cases(self) -> list[tuple[str, list[str]]]:
        """The human queue: state and reasons of each case."""
        with self.ground.sessions() as session:
            return [(case.state, sorted(case.reasons)) for case in session.scalars(select(Escalation).order_by(Escalation.id))]

    def audited(self, prefix: str = "takeover.") -> list[str]:
        with self.ground.sessions() as session:
            rows = session.scalars(select(AuditEntry.action).where(AuditEntry.action.startswith(prefix)).order_by(AuditEntry.n))
            return list(rows)

    def call(self) -> Call:
        """The newest call to a person, as the carrier has it."""
        return [call for call in self.house.exchange.calls.values() if not _is_desk(call)][-1]

    def desk_calls(self) -> list[Call]:
        """The calls to operators, oldest first."""
        return [call for call in self.house.exchange.calls.values() if _is_desk(call)]

    def words(self, call: Call | None = None) -> str:
        """Everything that was said to somebody."""
        return "".join(heard.text for heard in (call or self.call()).heard)

    def hang_up(self, call: Call) -> None:
        """Somebody puts the telephone down."""
        self.house.exchange.interrupt(call, PutDown())

    def post(self, path: str, call: Call, form: dict[str, str]) -> str:
        """Send our door a web-hook of the carrier's once more; the document that comes back."""
        runtime = self.house.runtime
        signed = WebHooks(small_house.TOKEN, 2)
        return signed.send(runtime.public_base_url + path, "POST", {**standard(call), **form}, "again").body.decode()

    def longest_silence(self, call: Call | None = None) -> float:
        """The longest silence in a person's ear from the first word of the hand-over to its end, in seconds (O15)."""
        ordered = sorted((call or self.call()).heard, key=lambda heard: heard.at)
        first = next(number for number, heard in enumerate(ordered) if "接通值班员" in heard.text or "connecting you" in heard.text)
        ended = self.takeover().ended_at
        assert ended is not None
        after = next((number for number, heard in enumerate(ordered) if heard.at >= ended.timestamp()), len(ordered))
        return longest_gap(ordered[first : after + 1])

    def seconds_of_talk(self, call: Call | None = None) -> float:
        return sum(heard.seconds for heard in (call or self.call()).heard if heard.text == TALK)

    def problems(self) -> list[str]:
        """What the carrier found wrong with anything of ours."""
        return [problem for call in self.house.exchange.calls.values() for problem in call.problems]

    def _is_busy(self) -> bool:
        return any(each.state not in ("done", "wrap") for each in self.takeovers())

    def _work(self) -> Any:
        return self.house.runtime.unit_of_work()


def longest_gap(heard: list[Heard]) -> float:
    """The longest time in which nothing sounded, in seconds."""
    gaps, until = [0.0], heard[0].at
    for each in heard:
        gaps.append(each.at - until)
        until = max(until, each.at + each.seconds)
    return max(gaps)


def _is_desk(call: Call) -> bool:
    return call.callee.startswith("desk_")


@contextmanager
def opened(ground: Ground, data: Path) -> Iterator[Desk]:
    """Open the house with its desk."""
    with small_house.opened(ground, data, patience_seconds=5) as house:
        yield Desk(house)
