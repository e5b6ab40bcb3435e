"""Who answers: one table from the last two digits of the number to a kind of callee. It is printed in the README."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ivr.carrier.simulator.persona import RATED, Persona, Speak, Traits
from ivr.carrier.simulator.speaking import MANNERS


@dataclass(frozen=True)
class Kind:
    """A kind of callee: its name, the endings of the numbers that reach it, and how it behaves."""

    name: str
    endings: tuple[str, ...]
    zh: str
    en: str
    traits: Traits


def endings(first: int, last: int) -> tuple[str, ...]:
    """The endings from the first to the last."""
    return tuple(f"{number:02d}" for number in range(first, last + 1))


SATISFIED = dict.fromkeys(RATED, "1")
UNHAPPY_SPEED = {"speed": "4", "attitude": "2", "outcome": "5", "equipment": "2", "appearance": "2"}
UNHAPPY_ATTITUDE = {"speed": "3", "attitude": "5", "outcome": "4", "equipment": "3", "appearance": "2"}
ABUSED = {"speed": "3", "attitude": "5", "outcome": "5", "equipment": "3", "appearance": "4"}

TABLE: tuple[Kind, ...] = (
    Kind(
        "satisfied", endings(0, 8), "全部非常满意", "very satisfied with everything",
        Traits(ratings=SATISFIED),
    ),
    Kind(
        "satisfied_second_call", endings(9, 11), "第二次才接,满意", "no answer first, then satisfied",
        Traits(ratings=SATISFIED, answers_from=2),
    ),
    Kind(
        "satisfied_third_call", endings(12, 13), "第三次才接,满意", "no answer twice, then satisfied",
        Traits(ratings=SATISFIED, answers_from=3),
    ),
    Kind("mixed", endings(14, 24), "评价有好有坏", "keys drawn by number and question", Traits(wants_operator=None)),
    Kind(
        "mixed_busy_first", endings(25, 27), "先占线,后接听", "busy first, then mixed",
        Traits(answers_from=2, before="busy", wants_operator=None),
    ),
    Kind(
        "dissatisfied", endings(28, 29), "不满意,说原因,同意联系;有值班员就转接",
        "4 and 5, gives the reason, may be contacted, takes an operator", Traits(ratings=UNHAPPY_SPEED, wants_operator=True),
    ),
    Kind(
        "dissatisfied_no_contact", endings(30, 30), "不满意,不同意联系", "4 and 5, does not want contact",
        Traits(ratings=UNHAPPY_ATTITUDE, consents=False),
    ),
    Kind(
        "abused", endings(31, 31), "反映民警违纪;有值班员就转接", "reports abuse in the reason and where asked, takes an operator",
        Traits(ratings=ABUSED, abused=True, reason=Speak(14.0), wants_operator=True),
    ),
    Kind(
        "interfered", endings(32, 32), "有人事先要求好评", "was asked for a good rating",
        Traits(ratings=SATISFIED, interfered=True),
    ),
    Kind("barges_in", endings(33, 34), "抢按", "presses into the prompt", Traits(barges_in=True)),
    Kind(
        "repeats", endings(35, 35), "要求重听", "presses * once, then answers",
        Traits(repeats_at="attitude"),
    ),
    Kind(
        "goes_back", endings(36, 36), "返回改答案", "presses 7 at outcome and changes the answer before it",
        Traits(ratings=SATISFIED, goes_back_at="outcome"),
    ),
    Kind(
        "wrong_keys", endings(37, 38), "先按错键", "presses a wrong key first at each question",
        Traits(presses="wrong first"),
    ),
    Kind(
        "slow", endings(39, 39), "每题第一遍不按", "silent the first time each question is asked",
        Traits(ratings=SATISFIED, presses="second"),
    ),
    Kind(
        "remark", endings(40, 42), "留言,按井号", "speaks a suggestion, ends with #",
        Traits(remark=Speak(9.0)),
    ),
    Kind(
        "remark_hangup", endings(43, 43), "留言时挂断", "hangs up while leaving a suggestion",
        Traits(remark=Speak(7.0, "hangup")),
    ),
    Kind(
        "remark_silence", endings(44, 44), "留言后沉默", "falls silent after a suggestion",
        Traits(ratings=SATISFIED, remark=Speak(5.0, "silence")),
    ),
    Kind(
        "later_then_mixed", endings(45, 45), "先按9,下次再答", "not now (9), answers the next call",
        Traits(answers_from=2, before="later"),
    ),
    Kind(
        "hangs_up_at_speed", endings(46, 46), "第一题挂断", "hangs up during the first rating",
        Traits(hangs_up_at="speed"),
    ),
    Kind(
        "hangs_up_at_outcome", endings(47, 47), "第三题挂断", "hangs up during the third rating",
        Traits(hangs_up_at="outcome"),
    ),
    Kind(
        "hangs_up_at_appearance", endings(48, 48), "第五题挂断", "hangs up during the fifth rating",
        Traits(hangs_up_at="appearance"),
    ),
    Kind(
        "hangs_up_at_remark", endings(49, 49), "评完就挂断", "hangs up after the ratings",
        Traits(ratings=SATISFIED, hangs_up_at="remark"),
    ),
    Kind("refuses", endings(50, 51), "接通即挂断", "hangs up at once", Traits(hangs_up_after=2.5)),
    Kind("not_now", endings(52, 52), "总说不方便", "not now (9), every time", Traits(asks_for="later")),
    Kind("never", endings(53, 55), "不再接听", "never again (0)", Traits(asks_for="never")),
    Kind(
        "wrong_person", endings(56, 56), "不是本人", "not the person who called",
        Traits(right_person=False),
    ),
    Kind(
        "human", endings(57, 57), "要人工", "asks for a person (8) at the second question",
        Traits(asks_for="human", asks_at="attitude"),
    ),
    Kind("silent", endings(58, 58), "一直沉默", "never presses anything", Traits(presses="nothing")),
    Kind(
        "refused_by_carrier", endings(59, 59), "运营商拒绝", "the carrier refuses the number (400)",
        Traits(pick_up="rejected"),
    ),
    Kind(
        "carrier_error", endings(60, 60), "运营商故障一次", "the carrier fails once (503), then satisfied",
        Traits(ratings=SATISFIED),
    ),
    Kind("machine", endings(61, 65), "语音信箱", "an answering machine", Traits(pick_up="machine")),
    Kind("fax", endings(66, 66), "传真", "a fax machine", Traits(pick_up="fax")),
    Kind(
        "no_such_number", endings(67, 71), "空号", "no such number",
        Traits(pick_up="no-such-number"),
    ),
    Kind("busy", endings(72, 79), "总占线", "always busy", Traits(pick_up="busy")),
    Kind("no_answer", endings(80, 96), "无人接听", "never answers", Traits(pick_up="no-answer")),
    Kind(
        "calls_back", endings(97, 99), "从不接听,25分钟后回拨", "never answers, calls back after 25 minutes, then mixed",
        Traits(pick_up="no-answer", calls_back_after=1500.0),
    ),
)  # fmt: skip
BESIDE: tuple[Kind, ...] = (
    Kind(
        "wants_operator", (), "不满意,抢按,要和值班员说", "4 and 5, presses into the prompt, takes the operator",
        Traits(ratings=UNHAPPY_SPEED, barges_in=True, wants_operator=True, speaks="never", talk_seconds=900.0),
    ),
)  # fmt: skip
"""Kinds that no ending reaches: they are put at numbers by name."""
_BY_ENDING = {ending: kind for kind in TABLE for ending in kind.endings}
_BY_NAME = {kind.name: kind for kind in (*TABLE, *BESIDE)}


def kind_of(number: str) -> Kind:
    """The kind that answers at a number, by its last two digits; a number without them is satisfied."""
    return _BY_ENDING.get(number[-2:], _BY_NAME["satisfied"])


def traits_of(name: str) -> Traits:
    """How a kind behaves. Raises KeyError with the name when there is no such kind."""
    return _BY_NAME[name].traits


def endings_of(name: str) -> tuple[str, ...]:
    """The endings that reach a kind. Raises KeyError with the name when there is no such kind."""
    return _BY_NAME[name].endings


def persona_at(number: str, seed: int, nth: int) -> Persona:
    """The person who answers the `nth` call to a number."""
    return Persona(kind_of(number).traits, number, seed, nth)


def span(kind: Kind) -> str:
    """The endings of a kind, as a table tells them."""
    return kind.endings[0] if len(kind.endings) == 1 else f"{kind.endings[0]}–{kind.endings[-1]}"


def speakers() -> str:
    """The ways of speaking as rows of the table: those who speak are a share of everybody with keys, whatever their number."""
    return "\n".join(f"| {each.weight} % of speakers | `{each.name}` | {each.zh} | {each.en} |" for each in MANNERS)


def rows() -> Iterator[dict[str, Any]]:
    """The table as JSON objects: name, endings, zh, en."""
    for kind in TABLE:
        yield {"name": kind.name, "endings": list(kind.endings), "zh": kind.zh, "en": kind.en}


def table_text() -> str:
    """The table as Markdown, for the README."""
    lines = ["| endings | kind | 说明 | what happens |", "| --- | --- | --- | --- |"]
    for kind in TABLE:
        lines.append(f"| {span(kind)} | `{kind.name}` | {kind.zh} | {kind.en} |")
    return "\n".join([*lines, speakers()])
