"""What a unit must say in its reply to an order before it is accepted (R50). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from survey.errors import BadInput

FINDINGS = {
    "substantiated": ("属实", "substantiated"),
    "partly": ("部分属实", "partly substantiated"),
    "unsubstantiated": ("不属实", "not substantiated"),
}
CAUSES = {
    "officer": ("民警原因", "the officer"),
    "objective": ("客观原因", "circumstances"),
    "other_unit": ("其他单位原因", "another unit"),
}
FAULTS = {
    "speed": ("出警不及时", "slow to arrive"),
    "attitude": ("态度问题", "attitude"),
    "irregular": ("执法不规范", "irregular enforcement"),
}
"""What somebody can be held to account for, once it is verified (R55)."""

LONGEST = 2000
NAMES = {
    "finding": ("核查结论", "the finding"), "cause": ("原因", "the cause"),
    "visited_on": ("上门日期", "the day of the visit"), "people": ("上门人员", "who made the visit"), "place": ("地点", "the place"),
    "measure": ("整改措施", "the measure taken"), "explanation": ("情况说明", "the explanation given"),
    "improvement": ("改进情况", "the improvement made"),
}  # fmt: skip
VISIT = ("visited_on", "people", "place")


@dataclass(frozen=True, repr=False)
class Reply:
    """A unit's reply. Texts may hold names and are sealed where they are kept; `place` may stay empty."""

    finding: str
    cause: str
    measure: str = ""
    explanation: str = ""
    improvement: str = ""
    visited_on: date | None = None
    people: str = ""
    place: str = ""


def checked(reply: Reply, consent: str, issued_on: date, today: date) -> Reply:
    """The reply as it can be accepted, texts without blanks around them. Raises BadInput naming the first field that is wrong.

    Only with consent to be contacted is there a visit, between the day of issue and today; else the improvement made stands for it.
    """
    texts = {name: getattr(reply, name).strip() for name in ("measure", "explanation", "improvement", "people", "place")}
    reply = Reply(reply.finding, reply.cause, visited_on=reply.visited_on, **texts)
    _known(reply.finding, FINDINGS, "finding")
    _known(reply.cause, CAUSES, "cause")
    if consent == "yes":
        _demand(reply, "visited_on", "people")
        _check_day(reply.visited_on, issued_on, today)
    else:
        _refuse_visit(reply)
        _demand(reply, "improvement")
    _demand(reply, "measure" if reply.cause == "officer" else "explanation")
    for name, text in texts.items():
        if len(text) > LONGEST:
            raise BadInput(f"{NAMES[name][0]}最多 {LONGEST} 字 / {NAMES[name][1]}: {LONGEST} characters at most", name)
    return reply


def verifies_fault(finding: str, cause: str) -> bool:
    """Whether a reply says that the officer was, at least partly, at fault (R55)."""
    return cause == "officer" and finding in ("substantiated", "partly")


def _known(word: str, words: dict[str, tuple[str, str]], name: str) -> None:
    if word not in words:
        (zh, en), named = NAMES[name], list(words.values())
        raise BadInput(f"请选择{zh}：{'、'.join(one for one, _ in named)} / choose {en}: {', '.join(one for _, one in named)}", name)


def _demand(reply: Reply, *names: str) -> None:
    for name in names:
        if not getattr(reply, name):
            raise BadInput(f"请填写{NAMES[name][0]} / {NAMES[name][1]} is missing", name)


def _check_day(day: date | None, issued_on: date, today: date) -> None:
    if day is None or not issued_on <= day <= today:
        zh, en = f"上门日期须在 {issued_on} 至 {today} 之间", f"the visit must lie between {issued_on} and {today}"
        raise BadInput(f"{zh} / {en}", "visited_on")


def _refuse_visit(reply: Reply) -> None:
    for name in VISIT:
        if getattr(reply, name):
            raise BadInput("当事人不同意联系，不得填写上门情况 / the person did not agree to be contacted: there can be no visit", name)
