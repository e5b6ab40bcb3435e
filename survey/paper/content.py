"""An order as one reader may see it → the texts of its document. Pure: the same order gives the same paper.

Whatever is hidden from the reader (the person's name and number, O35) is struck out of every text that people have typed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from survey.casework.views import Contact, OrderView, ReplyView
from survey.eligibility import category_words
from survey.order_moves import APPEALS, EXTENSIONS, HANDED_ON, MOVES, OPEN, OUTCOMES, STATES, SYSTEM
from survey.order_replies import CAUSES, FAULTS, FINDINGS
from survey.orders import GROUNDS, is_about_all
from survey.paper import words
from survey.paper.words import Words, day, deadline, minute
from survey.scoring import ITEMS
from survey.struck_out import Clean, cleaner


@dataclass(frozen=True)
class Quote:
    """What the person said: `confidence` of the machine from 0 to 1, None where a person wrote it down, `by_operator` after the talk.

    Without `text` there is a sound of which nothing is written yet. `round` is that of the answer about which the person was called
    again, 0 for the survey's call; `recording` names the sound that can be listened to, if there is one.
    """

    text: str
    confidence: float | None
    by_operator: bool = False
    round: int = 0
    recording: str = ""

    @property
    def says_something(self) -> bool:
        """Whether there is a text, or a sound of the person."""
        return bool(self.text) or not self.by_operator


@dataclass(frozen=True, repr=False)
class Facts:
    """What the view of an order does not hold. `hidden` are name and number that must not come out; `contact` is shown if given.

    `names` map accounts to what their people are called.
    """

    bureau: str
    zone: ZoneInfo
    script: str
    modes: tuple[str, ...]
    officer: str | None
    quotes: tuple[Quote, ...]
    hidden: tuple[str, ...]
    contact: Contact | None
    printed_by: str
    printed_at: datetime
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Rating:
    """One of the five items with what the person answered; `bad` is ★ for a 4 or 5, else empty."""

    item: str
    answer: str
    bad: str


@dataclass(frozen=True)
class ReplyText:
    """A unit's reply of one round; empty where it does not apply."""

    round: str = ""
    visited_on: str = ""
    people: str = ""
    place: str = ""
    finding: str = ""
    cause: str = ""
    measure: str = ""
    explanation: str = ""
    improvement: str = ""
    by: str = ""
    at: str = ""


@dataclass(frozen=True)
class Step:
    """One step of the order's life."""

    at: str
    by: str
    what: str
    reason: str


@dataclass(frozen=True, repr=False)
class Paper:
    """The frozen content of the document: every field is text, or a list of rows of texts. `survey.paper.template` explains each."""

    bureau: str
    number: str
    year: str
    serial: str
    state: str
    unit: str
    incident_number: str
    category: str
    occurred_at: str
    officer: str
    called_at: str
    call_mode: str
    script: str
    ratings: tuple[Rating, ...]
    items: str
    reasons: str
    own_words: str
    own_words_note: str
    consent: str
    person_name: str
    person_number: str
    issued_at: str
    issued_on: str
    issued_by: str
    due_on: str
    signed_at: str
    signed_by: str
    replies: tuple[ReplyText, ...]
    latest: ReplyText
    returns: str
    supervised: str
    extension: str
    appeal: str
    accountability: str
    attachments: str
    recall: str
    closed_at: str
    outcome: str
    archive_number: str
    steps: tuple[Step, ...] = field(default=())
    printed_at: str = ""
    printed_by: str = ""
    is_open_to_contact: bool = False

    def by_name(self) -> dict[str, Any]:
        """The fields as a template asks for them."""
        return {item.name: getattr(self, item.name) for item in fields(self) if item.name != "is_open_to_contact"}


def paper(view: OrderView, facts: Facts, language: str) -> Paper:
    """The document of an order in `zh` or `en`, times by the bureau's clock."""
    say, clean = Words(language), cleaner(facts.hidden)
    local, called = _local(facts.zone), _called(facts.names, say, clean)
    year, _dash, serial = view.number.partition("-")
    replies = tuple(_reply(reply, say, clean, called, local) for reply in view.replies)
    name, number = _person(view, facts, say)
    received = next((event for event in reversed(view.events) if event.what in ("sign", *HANDED_ON)), None)
    signed = received if received is not None and received.what == "sign" else None
    latest = replies[-1] if view.replies and not view.replies[-1].past_unit else ReplyText()
    return Paper(
        bureau=facts.bureau, number=view.number, year=year, serial=str(int(serial)), state=say(*STATES[view.state]),
        unit=clean(view.unit), incident_number=clean(view.incident_number), category=say(*category_words(view.category)),
        occurred_at=minute(say, local(view.occurred_at)), officer=clean(facts.officer), called_at=minute(say, local(view.called_at)),
        call_mode=_list(say, words.MODES, facts.modes), script=facts.script, ratings=tuple(_ratings(view, say)),
        items=_list(say, words.ITEM_WORDS, view.items), reasons=_list(say, words.REASONS, view.reasons),
        own_words="\n".join(_quoted(quote, say, clean) for quote in facts.quotes if quote.says_something) or say(*words.NOTHING_SAID),
        own_words_note=_note(facts.quotes, say), consent=say(*words.CONSENT.get(view.consent, words.CONSENT["no"])),
        person_name=name, person_number=number, issued_at=minute(say, local(view.issued_at)),
        issued_on=day(say, view.issued_at.astimezone(facts.zone).date()), issued_by=called(view.issued_by),
        due_on=deadline(say, view.due_at.astimezone(facts.zone)), signed_at=minute(say, local(signed.at)) if signed else "",
        signed_by=called(signed.actor) if signed else "", replies=replies, latest=latest,
        returns=str(view.returns), supervised=say("督办", "under supervision") if view.supervised else "", extension=_extension(view, say),
        appeal=_appeal(view, say), accountability=_accountability(view, say, clean),
        attachments=_joined(say, (clean(one.name) for one in view.attachments)), recall=_recall(view, say, local),
        closed_at=minute(say, local(view.closed_at)), outcome=say(*OUTCOMES[view.outcome]) if view.outcome in OUTCOMES else "",
        archive_number=view.archive_number or "", steps=_steps(view, say, clean, called, local),
        printed_at=minute(say, local(facts.printed_at)), printed_by=called(facts.printed_by),
        is_open_to_contact=view.may_be_contacted and view.state in OPEN,
    )  # fmt: skip


def _called(names: Mapping[str, str], say: Words, clean: Clean) -> Clean:
    """What an account is called on paper: by the person's name, the program by its own."""
    known = {SYSTEM.name: say(*words.SYSTEM), **names}
    return lambda account: clean(known.get(account or "", account))


def _local(zone: ZoneInfo) -> Callable[[datetime | None], datetime | None]:
    return lambda at: at.astimezone(zone) if at else None


def _joined(say: Words, texts: Iterable[str]) -> str:
    return say("、", ", ").join(text for text in texts if text)


def _list(say: Words, table: dict[str, tuple[str, str]], keys: Iterable[str]) -> str:
    return _joined(say, (say(*table.get(key, (key, key))) for key in keys))


def _ratings(view: OrderView, say: Words) -> Iterable[Rating]:
    for item in ITEMS:
        code = view.scores.get(item, "")
        answer = say(*words.CODES.get(code, (code, code))) if code else say("未答", "no answer")
        yield Rating(say(*words.ITEM_WORDS[item]), answer, "★" if item in view.items else "")


def _quoted(quote: Quote, say: Words, clean: Clean) -> str:
    called = say(*(word.format(round=quote.round) for word in words.SECOND_CALL)) if quote.round else ""
    return called + (say(*words.OPERATOR_NOTED) if quote.by_operator else "") + (clean(quote.text) or say(*words.WORDLESS))


def _note(quotes: tuple[Quote, ...], say: Words) -> str:
    sure = [quote.confidence for quote in quotes if quote.confidence is not None and quote.text]
    if not sure:
        return ""
    return say(f"机器转写，置信度 {min(sure):.0%}", f"machine transcript, confidence {min(sure):.0%}")


def _person(view: OrderView, facts: Facts, say: Words) -> tuple[str, str]:
    """Name and number as the document shows them: never without consent, in clear only to whom they were disclosed."""
    if not view.may_be_contacted:
        return say(*words.WITHHELD), say(*words.WITHHELD)
    if facts.contact is None:
        told = say(*(words.ON_REQUEST if view.state in OPEN else words.NO_MORE))
        return told, told
    clean = cleaner(())
    return clean(facts.contact.name), clean(facts.contact.number)


def _reply(reply: ReplyView, say: Words, clean: Clean, called: Clean, local: Callable[[datetime | None], datetime | None]) -> ReplyText:
    return ReplyText(
        str(reply.round), day(say, reply.visited_on), clean(reply.people), clean(reply.place),
        say(*FINDINGS.get(reply.finding, (reply.finding, reply.finding))), say(*CAUSES.get(reply.cause, (reply.cause, reply.cause))),
        clean(reply.measure), clean(reply.explanation), clean(reply.improvement),
        f"{reply.past_unit} {called(reply.by)}".strip(), minute(say, local(reply.at)),
    )  # fmt: skip


def _extension(view: OrderView, say: Words) -> str:
    if view.extension is None:
        return ""
    decisions = {"granted": ("已批准", "granted"), "refused": ("未批准", "refused"), "lapsed": EXTENSIONS["lapsed"]}
    decision = decisions.get(view.extension.decision, ("待审批", "not decided yet"))
    return say(f"申请延期 {view.extension.days} 个工作日，{decision[0]}", f"{view.extension.days} more working days, {decision[1]}")


def _appeal(view: OrderView, say: Words) -> str:
    if view.appeal is None:
        return ""
    decision = APPEALS[view.appeal.decision or "asked"]
    ground = GROUNDS.get(view.appeal.ground, (view.appeal.ground, view.appeal.ground))
    is_partial = not is_about_all(view.appeal.ground, view.appeal.items, view.items)
    about = _list(say, words.ITEM_WORDS, view.appeal.items) if is_partial else ""
    zh, en = (f"{ground[0]}（{about}）", f"{ground[1]} ({about})") if about else ground
    return say(f"{zh}，{decision[0]}", f"{en}, {decision[1]}")


def _accountability(view: OrderView, say: Words, clean: Clean) -> str:
    told = []
    for one in view.accountability:
        fault = say(*FAULTS.get(one.fault, (one.fault, one.fault)))
        decision = clean(one.decision) or say("尚未作出决定", "no decision yet")
        told.append(f"{fault}{say('：', ': ')}{decision}" + (f" {day(say, one.decided_on)}" if one.decided_on else ""))
    return say("；", "; ").join(told)


def _recall(view: OrderView, say: Words, local: Callable[[datetime | None], datetime | None]) -> str:
    last = next((event for event in reversed(view.events) if event.what == "note_recall"), None)
    if last is None:
        return ""
    met = say(*OUTCOMES[view.outcome]) if view.outcome in OUTCOMES and last.to_state == "closed" else say("仍不满意", "still dissatisfied")
    return f"{minute(say, local(last.at))} {met}"


def _steps(
    view: OrderView, say: Words, clean: Clean, called: Clean, local: Callable[[datetime | None], datetime | None]
) -> tuple[Step, ...]:
    issued = ("下发交办单", "issued")
    names = {what: (move.zh, move.en) for what, move in MOVES.items()}
    return tuple(
        Step(minute(say, local(event.at)), called(event.actor), say(*names.get(event.what, issued)), clean(event.reason))
        for event in view.events
    )
