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
    """The reply as it can be accepted, texts without blanks around them. Raises BadInput with everything that is wrong (C29).

    Only with consent to be contacted is there a visit, between the day of issue and today; else the improvement made stands for it.
    """
    texts = {name: getattr(reply, name).strip() for name in ("measure", "explanation", "improvement", "people", "place")}
    reply = Reply(reply.finding, reply.cause, visited_on=reply.visited_on, **texts)
    wrong = [
        *_unknown(reply.finding, FINDINGS, "finding"),
        *_unknown(reply.cause, CAUSES, "cause"),
        *(_wrong_visit(reply, issued_on, today) if consent == "yes" else _wrong_improvement(reply)),
        *_wrong_remedy(reply),
        *(_too_long(name) for name, text in texts.items() if len(text) > LONGEST),
    ]
    if wrong:
        raise BadInput.of_all(wrong)
    return reply


def verifies_fault(finding: str, cause: str) -> bool:
    """Whether a reply says that the officer was, at least partly, at fault (R55)."""
    return cause == "officer" and finding in ("substantiated", "partly")


def _unknown(word: str, words: dict[str, tuple[str, str]], name: str) -> list[BadInput]:
    if word in words:
        return []
    (zh, en), named = NAMES[name], list(words.values())
    told = f"请选择{zh}：{'、'.join(one for one, _ in named)} / choose {en}: {', '.join(one for _, one in named)}"
    return [BadInput(told, name)]


def _missing(reply: Reply, *names: str) -> list[BadInput]:
    return [BadInput(f"请填写{NAMES[name][0]} / {NAMES[name][1]} is missing", name) for name in names if not getattr(reply, name)]


def _wrong_visit(reply: Reply, issued_on: date, today: date) -> list[BadInput]:
    missing = _missing(reply, "visited_on", "people")
    if reply.visited_on is None or issued_on <= reply.visited_on <= today:
        return missing
    zh, en = f"上门日期须在 {issued_on} 至 {today} 之间", f"the visit must lie between {issued_on} and {today}"
    return [BadInput(f"{zh} / {en}", "visited_on"), *missing]


def _wrong_improvement(reply: Reply) -> list[BadInput]:
    zh, en = "当事人不同意联系，不得填写上门情况", "the person did not agree to be contacted: there can be no visit"
    visited = [BadInput(f"{zh} / {en}", name) for name in VISIT if getattr(reply, name)]
    return [*visited[:1], *_missing(reply, "improvement")]


def _wrong_remedy(reply: Reply) -> list[BadInput]:
    """The measure where the officer was the cause, else the explanation; one of the two where no cause was chosen yet."""
    if reply.cause in CAUSES:
        return _missing(reply, "measure" if reply.cause == "officer" else "explanation")
    if reply.measure or reply.explanation:
        return []
    zh, en = "请按所选原因填写整改措施或情况说明", "the measure taken or the explanation given is missing, as the cause has it"
    return [BadInput(f"{zh} / {en}", "measure")]


def _too_long(name: str) -> BadInput:
    return BadInput(f"{NAMES[name][0]}最多 {LONGEST} 字 / {NAMES[name][1]}: {LONGEST} characters at most", name)
