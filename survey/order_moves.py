"""The states of an order, and who may do what in which of them (R35, R49; O32). Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from survey.errors import BadInput, NotAllowed

STATES: dict[str, tuple[str, str]] = {
    "issued": ("已交办", "issued"), "signed": ("已签收", "signed for"), "in_hand": ("办理中", "in hand"),
    "answered": ("已回复", "answered"), "recalling": ("再次回访中", "being called again"),
    "returned": ("已退回", "returned"), "supervised": ("督办中", "supervised"),
    "closed": ("已办结", "closed"), "void": ("已作废", "void"),
}  # fmt: skip
RUNNING = ("issued", "signed", "in_hand", "returned", "supervised")
"""States in which the unit's clock runs."""
OPEN = (*RUNNING, "answered", "recalling")
OUTCOMES: dict[str, tuple[str, str]] = {
    "satisfied": ("再次回访满意", "satisfied when called again"),
    "unverified": ("无法再次回访，未核实", "unverified: nobody could be called again"),
    "no_recall_wanted": ("当事人不愿再次回访", "the person wanted no further call"),
    "explained": ("督办后已解释说明", "explained, after supervision"),
    "appeal_upheld": ("申诉成立", "the appeal was upheld"),
}
EXTENSIONS: dict[str, tuple[str, str]] = {
    "asked": ("待审批", "not decided yet"), "granted": ("已延期", "extended"), "refused": ("未获准", "refused"),
    "lapsed": ("未及审批", "lapsed before it was decided"),
}  # fmt: skip
APPEALS: dict[str, tuple[str, str]] = {
    "asked": ("待裁定", "not decided yet"), "upheld": ("申诉成立", "upheld"), "rejected": ("申诉不成立", "rejected"),
    "lapsed": ("未及裁定", "lapsed before it was decided"),
}  # fmt: skip
LAPSED = "lapsed"
"""Nobody had decided when the unit's clock stopped or its order went, for an appeal when the order was voided: it is over, and was none."""
ROUTES = ("centre", "inspection")
HANDED_ON = ("reassign", "reroute")
"""Actions after which somebody else has the order: what the unit before has signed and replied is history."""
READERS = ("system", "centre", "operator", "commander", "auditor")
"""Roles that may read every order but those of inspection; a unit reads its own, inspection all."""
SHORTEST_REASON, LONGEST_REASON = 2, 500


@dataclass(frozen=True)
class Actor:
    """Who acts: account name and role, for the role `unit` which one, and whether at its head. The program itself is SYSTEM."""

    name: str
    role: str
    unit_id: int | None = None
    is_head: bool = False


SYSTEM = Actor("system", "system")


@dataclass(frozen=True)
class Standing:
    """Where an order stands.

    `answered_at` stops the unit's clock; it is None while that runs. `extension` is "" or a word of EXTENSIONS, `appeal` ""
    or one of APPEALS: each there once in an order's life, but for an extension that lapsed.
    """

    state: str
    route: str
    unit_id: int | None
    consent: str
    issued_at: datetime
    due_at: datetime
    answered_at: datetime | None = None
    closed_at: datetime | None = None
    returns: int = 0
    replies: int = 0
    supervised: bool = False
    extension: str = ""
    appeal: str = ""
    outcome: str = ""


@dataclass(frozen=True)
class Change:
    """One step of an order; `before` is None when it is issued. `details` hold no personal data."""

    action: str
    actor: Actor
    at: datetime
    before: Standing | None
    after: Standing
    reason: str = ""
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Move:
    """What an action is called, where it may start, who may do it (see `PARTIES`), and whether it needs a reason."""

    zh: str
    en: str
    starts: tuple[str, ...]
    party: str
    needs_reason: bool = False


PARTIES: dict[str, dict[str, tuple[str, ...]]] = {
    "handler": {"centre": ("unit",), "inspection": ("inspection",)},
    "desk": {"centre": ("centre",), "inspection": ("inspection",)},
    "outsider": {"centre": ("centre", "inspection"), "inspection": ("inspection",)},
    "caller": {"centre": ("system", "centre", "operator"), "inspection": ("system", "inspection")},
    "issuer": {"centre": ("system", "centre"), "inspection": ("system", "inspection")},
    "program": {"centre": ("system",), "inspection": ("system",)},
    "anyone": {"centre": ("unit", "centre"), "inspection": ("inspection",)},
}
"""The roles of each party by the order's route: an allegation of abuse is known to inspection alone (R35)."""

MOVES = {
    "sign": Move("签收", "to sign for it", ("issued",), "handler"),
    "take_in_hand": Move("开始办理", "to take it in hand", ("signed", "returned", "supervised"), "handler"),
    "answer": Move("回复", "to answer", ("in_hand",), "handler"),
    "ask_extension": Move("申请延期", "to ask for an extension", RUNNING, "handler", needs_reason=True),
    "decide_extension": Move("审批延期", "to decide on an extension", RUNNING, "desk", needs_reason=True),
    "appeal": Move("申诉", "to appeal", OPEN, "handler"),
    "decide_appeal": Move("裁定申诉", "to decide on an appeal", (*OPEN, "closed"), "outsider", needs_reason=True),
    "reassign": Move("改派", "to give it to another unit", (*RUNNING, "answered"), "desk", needs_reason=True),
    "return": Move("退回", "to return it", ("answered", "recalling"), "desk", needs_reason=True),
    "supervise": Move("督办", "to put it under supervision", OPEN, "desk", needs_reason=True),
    "begin_recall": Move("再次回访", "to call again", ("answered",), "caller"),
    "note_recall": Move("登记再次回访结果", "to note what came of calling again", ("recalling",), "caller"),
    "close": Move("办结", "to close it", ("answered", "recalling", "supervised"), "desk", needs_reason=True),
    "void": Move("作废", "to void it", OPEN, "desk", needs_reason=True),
    "reroute": Move("转督察", "to hand it to inspection", OPEN, "program"),
    "retime": Move("按日历顺延", "to move its deadline with the calendar", RUNNING, "program", needs_reason=True),
    "attach": Move("添加附件", "to attach a file", OPEN, "anyone"),
}


def actions(standing: Standing, actor: Actor) -> tuple[str, ...]:
    """What the actor may try in this state: the buttons of a page (O32)."""
    return tuple(
        name
        for name, move in MOVES.items()
        if standing.state in move.starts and _is_party(standing, move.party, actor) and _is_open_to(standing, name, actor)
    )


def _is_open_to(standing: Standing, action: str, actor: Actor) -> bool:
    """Whether a request can still be made, or waits for its decision."""
    match action:
        case "ask_extension":
            return may_extend(standing) and (actor.is_head or standing.route == "inspection")
        case "decide_extension":
            return standing.extension == "asked"
        case "appeal":
            return not standing.appeal and standing.route == "centre"
        case "decide_appeal":
            return standing.appeal == "asked"
        case "reassign":
            return standing.appeal != "asked" and standing.route == "centre"
    return True


def may_extend(standing: Standing) -> bool:
    """Whether an extension can still be asked for: none was decided on, and none waits for it (R52)."""
    return standing.extension in ("", LAPSED)


def said(text: str) -> str:
    """A reason in one line. Raises BadInput when it says nothing or too much."""
    reason = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    if not SHORTEST_REASON <= len(reason) <= LONGEST_REASON:
        least, most = SHORTEST_REASON, LONGEST_REASON
        raise BadInput(f"请写明原因（{least}–{most} 字） / a reason is needed, {least} to {most} characters", "reason")
    return reason


def moved(standing: Standing, action: str, actor: Actor, at: datetime, reason: str = "", **new: Any) -> Change:
    """The step of MOVES from where the order stands, with what is `new` about it.

    A request for time lapses when the clock stops, an appeal with an order that was issued by mistake.
    Raises NotAllowed for a wrong role, unit or state, BadInput where a reason is demanded and none is given.
    """
    move = MOVES[action]
    if not _is_party(standing, move.party, actor):
        raise NotAllowed(f"您的角色或单位不能对此单{move.zh} / your role or unit does not allow you {move.en}")
    if standing.state not in move.starts:
        zh, en = STATES[standing.state]
        raise NotAllowed(f"交办单{zh}，不能{move.zh} / the order is {en}: {move.en} is not possible")
    why = said(reason) if move.needs_reason else ""
    after = replace(standing, **new)
    if after.extension == "asked" and after.state not in RUNNING:
        after = replace(after, extension=LAPSED)
    if after.appeal == "asked" and after.state == "void":
        after = replace(after, appeal=LAPSED)
    return Change(action, actor, at, standing, after, why)


def _is_party(standing: Standing, party: str, actor: Actor) -> bool:
    if actor.role not in PARTIES[party][standing.route]:
        return False
    return actor.role != "unit" or (standing.unit_id is not None and actor.unit_id == standing.unit_id)
