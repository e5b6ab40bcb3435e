"""Final outcome codes of attempts and respondents: AAPOR Standard Definitions, telephone table (domain §3.1).

    registered ─┬─ 3.11 not attempted ── attempts ──┬─ 1.x interview
                │                                   ├─ 2.x eligible, no interview
                │                                   ├─ 3.x eligibility unknown
                └─ 4.x not eligible ◀───────────────┘

A respondent's final code is the most informative of its attempts: interview > refusal > other contact >
known non-contact > not eligible > unknown; among unknowns the last attempt.
"""

from collections.abc import Collection, Mapping, Sequence
from enum import Enum


class Disposition(Enum):
    """An outcome with its AAPOR code, its class in the outcome rates, and its words."""

    COMPLETE = ("complete", "1.1", "I", "完成访问", "Complete")
    PARTIAL = ("partial", "1.2", "P", "部分完成", "Partial")
    REFUSAL_BEFORE = ("refusal_before", "2.111", "R", "确认本人前拒访", "Refused before being confirmed")
    REFUSAL = ("refusal", "2.112", "R", "本人拒访", "Refused by the person")
    BREAK_OFF = ("break_off", "2.12", "R", "中途退出", "Break-off")
    NON_CONTACT = ("non_contact", "2.20", "NC", "未能联系", "Non-contact")
    NOT_AVAILABLE = ("not_available", "2.21", "NC", "本人始终不便", "Person never available")
    OWN_MACHINE_MESSAGE = ("own_machine_message", "2.221", "NC", "本人语音信箱，已留言", "Person's own machine, message left")
    OWN_MACHINE = ("own_machine", "2.222", "NC", "本人语音信箱，未留言", "Person's own machine, no message left")
    DEAD = ("dead", "2.31", "O", "报警人已故", "Deceased")
    UNABLE = ("unable", "2.32", "O", "无法受访", "Unable to take part")
    LANGUAGE = ("language", "2.33", "O", "语言不通", "Language barrier")
    CIRCUMSTANCES = ("circumstances", "2.35", "O", "情况不允许", "Circumstances do not allow")
    OTHER = ("other", "2.90", "O", "其他未能受访", "Other, no interview")
    NOT_ATTEMPTED = ("not_attempted", "3.11", "UH", "尚未拨打", "Not yet dialled")
    BUSY = ("busy", "3.12", "UH", "占线", "Busy")
    NO_ANSWER = ("no_answer", "3.13", "UH", "无人接听", "No answer")
    MACHINE = ("machine", "3.14", "UH", "语音信箱", "Answering machine")
    BLOCKED = ("blocked", "3.15", "UH", "被拦截", "Blocked")
    TECHNICAL = ("technical", "3.16", "UH", "线路故障", "Technical failure")
    NOT_CONFIRMED = ("not_confirmed", "3.20", "UO", "接通未确认本人", "Answered, person not confirmed")
    UNKNOWN_OTHER = ("unknown_other", "3.90", "UO", "其他资格不明", "Other, eligibility unknown")
    OUTSIDE_SAMPLE = ("outside_sample", "4.10", "NE", "不在样本定义内", "Outside the sample definition")
    FAX = ("fax", "4.20", "NE", "传真或数据线路", "Fax or data line")
    NO_SUCH_NUMBER = ("no_such_number", "4.31", "NE", "空号", "No such number")
    DISCONNECTED = ("disconnected", "4.32", "NE", "已拆机", "Disconnected number")
    OUT_OF_SERVICE = ("out_of_service", "4.33", "NE", "停机", "Number out of service")
    NUMBER_CHANGED = ("number_changed", "4.41", "NE", "号码已变更", "Number changed")
    WRONG_PERSON = ("wrong_person", "4.70", "NE", "非报警人本人", "No eligible person")
    QUOTA_FULL = ("quota_full", "4.80", "NE", "配额已满", "Quota full")
    DUPLICATE = ("duplicate", "4.81", "NE", "重复号码或静默期内", "Duplicate or in quarantine")

    def __init__(self, word: str, aapor: str, outcome_class: str, zh: str, en: str) -> None:
        self.word, self.aapor, self.outcome_class, self.zh, self.en = word, aapor, outcome_class, zh, en

    @classmethod
    def from_word(cls, word: str) -> "Disposition":
        """The disposition stored as `word`. Raises KeyError with the word when there is none."""
        return _BY_WORD[word]


_BY_WORD = {disposition.word: disposition for disposition in Disposition}
OUTCOME_CLASSES = {
    "I": ("完成访问", "Complete interview"),
    "P": ("部分访问", "Partial interview"),
    "R": ("拒访与中途退出", "Refusal and break-off"),
    "NC": ("未能联系", "Non-contact"),
    "O": ("其他未访", "Other, no interview"),
    "UH": ("资格不明：未接通", "Eligibility unknown: line"),
    "UO": ("资格不明：未确认", "Eligibility unknown: person"),
    "NE": ("不合格", "Not eligible"),
}
"""The classes of the outcome rates in the order of the standard, with their words."""
RATED = frozenset({"speed", "attitude", "outcome", "equipment", "appearance"})
_PRECEDENCE = {"I": 0, "P": 0, "R": 1, "O": 2, "NC": 3, "NE": 4, "UH": 5, "UO": 5}


def final(attempts: Sequence[Disposition]) -> Disposition:
    """The respondent's code from its attempts' codes, oldest first (domain §3.1, R17).

    No attempt yet means NOT_ATTEMPTED. A complete interview beats a partial one; otherwise, within
    one rank, the last attempt counts.
    """
    if not attempts:
        return Disposition.NOT_ATTEMPTED
    if Disposition.COMPLETE in attempts:
        return Disposition.COMPLETE
    best = min(_PRECEDENCE[attempt.outcome_class] for attempt in attempts)
    return [attempt for attempt in attempts if _PRECEDENCE[attempt.outcome_class] == best][-1]


def of_case(attempts: Sequence[Disposition], answers: Collection[str]) -> Disposition:
    """The respondent's code from its attempts and from all items answered over the case (R39).

    Three or four of the five are a partial interview also where every call was put off or broke; a case that was stopped
    for danger stays so (R34).
    """
    code = final(attempts)
    given = len(set(answers) & RATED)
    if given < 3 or code.outcome_class == "I" or Disposition.CIRCUMSTANCES in attempts:
        return code
    return Disposition.COMPLETE if given == len(RATED) else Disposition.PARTIAL


def by_class(counts: Mapping[Disposition, int]) -> dict[str, int]:
    """How many fall into each outcome class; every class is there, empty ones with 0, so that the sums agree (R17)."""
    totals = dict.fromkeys(OUTCOME_CLASSES, 0)
    for disposition, count in counts.items():
        totals[disposition.outcome_class] += count
    return totals
