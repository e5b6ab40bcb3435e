"""The telephones of operators: one range of numbers of its own, the last two digits say what happens. It is printed in the README."""

from dataclasses import replace

from ivr.carrier.simulator import callees
from ivr.carrier.simulator.callees import Kind, endings, span
from ivr.carrier.simulator.listening import key_for
from ivr.carrier.simulator.persona import HangUp, Persona, Press, Reaction, Silence, Traits

RANGE = "+86100999900"
"""What the numbers begin with; two digits follow."""

WRONG_KEY = "5"
TAKES = Traits(at_desk="takes", ring_seconds=2.0, talk_seconds=3600.0, patience_seconds=3600.0)


TABLE: tuple[Kind, ...] = (
    Kind("desk_takes", endings(0, 39), "接听,按1,谈到对方挂断", "picks up, presses 1, talks until the other side ends", TAKES),
    Kind(
        "desk_takes_slowly", endings(40, 49), "15秒后接听,按1", "picks up after 15 seconds, presses 1",
        replace(TAKES, ring_seconds=15.0),
    ),
    Kind(
        "desk_talks_briefly", endings(50, 54), "接听,按1,谈5秒后挂断", "picks up, presses 1, hangs up after 5 seconds of talk",
        Traits(at_desk="takes", ring_seconds=2.0, talk_seconds=5.0),
    ),
    Kind(
        "desk_leaves_room", endings(55, 59), "接听,按1,对方未到就挂断", "picks up, presses 1, hangs up before the person is there",
        Traits(at_desk="takes", ring_seconds=2.0, patience_seconds=0.2),
    ),
    Kind("desk_silent", endings(60, 64), "接听,不按键", "picks up, presses nothing", Traits(at_desk="silent", ring_seconds=2.0)),
    Kind("desk_wrong_key", endings(65, 69), "接听,按错键", "picks up, presses another key", Traits(at_desk="wrong key", ring_seconds=2.0)),
    Kind(
        "desk_hangs_up", endings(70, 74), "接听,提示未完就挂断", "picks up, hangs up while it is told what the call is about",
        Traits(at_desk="hangs up", ring_seconds=2.0),
    ),
    Kind("desk_busy", endings(75, 84), "占线", "is busy", Traits(pick_up="busy")),
    Kind("desk_no_answer", endings(85, 99), "无人接听", "does not answer", Traits(pick_up="no-answer")),
)  # fmt: skip
_BY_ENDING = {ending: kind for kind in TABLE for ending in kind.endings}


class Operator(Persona):
    """Somebody at the desk, who is told on the telephone which call there is, and takes it with a key or does not."""

    def at_keys(self, heard: str) -> Reaction:
        """React to the whisper as the traits say."""
        self._understand(heard)
        match self.traits.at_desk:
            case "takes":
                return Press(key_for("take", heard) or "1", "take", after=0.8)
            case "wrong key":
                return Press(WRONG_KEY, "wrong", after=0.8)
            case "hangs up":
                return HangUp(1.0)
        return Silence()


def kind_of(number: str) -> Kind:
    """The kind that answers at a number: an operator's telephone, or a callee of the table."""
    theirs = _BY_ENDING.get(number.removeprefix(RANGE)) if number.startswith(RANGE) else None
    return theirs or callees.kind_of(number)


def number_of(name: str, which: int = 0) -> str:
    """The number of a telephone of that kind. Raises KeyError where there is no such kind, IndexError where there are not so many."""
    return RANGE + {kind.name: kind for kind in TABLE}[name].endings[which]


def table_text() -> str:
    """The table as Markdown, for the README."""
    lines = ["| numbers | kind | 说明 | what happens |", "| --- | --- | --- | --- |"]
    lines += [f"| {RANGE}{span(kind)} | `{kind.name}` | {kind.zh} | {kind.en} |" for kind in TABLE]
    return "\n".join(lines)
