"""Scripts for tests: the two shipped ones, and small ones that hypothesis makes."""

from functools import cache
from pathlib import Path

from hypothesis import strategies as st

from survey import script_yaml
from survey.events import (
    TRANSFER_RESULTS,
    Answered,
    Digits,
    Event,
    Heard,
    HungUp,
    NoInput,
    OperatorReady,
    Recorded,
    TransferEnded,
)
from survey.script import (
    OPERATOR_QUESTION,
    RATED_ITEMS,
    TRANSFER_REASONS,
    Choice,
    ChooseStep,
    ConfirmStep,
    HangupStep,
    Limits,
    OperatorOffer,
    Question,
    RateStep,
    RecordStep,
    SayStep,
    Script,
    Step,
)

FOLDER = Path(__file__).resolve().parents[2] / "config" / "scripts"
SHIPPED = ("callback-zh.yaml", "callback-en.yaml")


@cache
def text_of(name: str) -> str:
    return (FOLDER / name).read_text("utf-8")


def shipped(name: str = "callback-zh.yaml") -> Script:
    return script_yaml.parse(text_of(name))


YES_NO = (Choice("1", "yes", "yes"), Choice("2", "no", "no"))
SCALE = (
    Choice("1", "very_satisfied", "very satisfied", 100),
    Choice("2", "satisfied", "satisfied", 75),
    Choice("3", "neutral", "neutral", 50),
    Choice("4", "dissatisfied", "dissatisfied", 25, dissatisfied=True),
    Choice("5", "very_dissatisfied", "very dissatisfied", 0, dissatisfied=True),
    Choice("6", "unsure", "not sure"),
)
NOTICES = {name: name for name in ("not_now", "never", "human", "wrong_person", "no_input_end", "thanks", "danger")}


def a_script(*steps: Step, **given: object) -> Script:
    """A script of these steps and a farewell, as the parser would make it."""
    return Script(name="test", language="en", scale=SCALE, steps=(*steps, HangupStep("close", "bye")), notices=NOTICES, **given)  # type: ignore[arg-type]


def a_confirm() -> ConfirmStep:
    return ConfirmStep("right_person", "right_person", "is it you", ("you?", "1 or 2"), YES_NO)


def a_rate(item: str) -> RateStep:
    return RateStep(item, item, f"rate {item}", ("again", "a key"), SCALE)


CONDITIONS = [None, None, None, "any_dissatisfied"]
RETRIES = st.sampled_from([(), ("again",), ("again", "press a key")])


@st.composite
def _choices(draw: st.DrawFn, later: list[str]) -> tuple[Choice, ...]:
    jump = st.sampled_from([None, None, *later])
    reason = st.sampled_from([None, None, None, "abuse_alleged", "danger", "dissatisfied"])
    return tuple(Choice(str(n), f"c{n}", f"choice {n}", escalate=draw(reason), next=draw(jump)) for n in range(1, draw(st.integers(2, 5))))


@st.composite
def _step(draw: st.DrawFn, name: str, item: str, later: list[str], conditions: list[str | None]) -> Step:
    kind = draw(st.sampled_from(["say", "rate", "choose", "record", "hangup"]))
    when, jump, retry = draw(st.sampled_from(conditions)), draw(st.sampled_from([None, None, *later])), draw(RETRIES)
    match kind:
        case "say":
            return SayStep(name, "words", when, jump)
        case "rate":
            return RateStep(name, item, "rate", retry, SCALE, when, jump)
        case "choose":
            return ChooseStep(name, f"item_{name}", "choose", retry, draw(_choices(later)), when, jump)
        case "record":
            return RecordStep(name, f"item_{name}", "speak", retry, none_key=draw(st.sampled_from([None, "1"])), when=when, next=jump)
    return HangupStep(name, "bye", "any_dissatisfied")


@st.composite
def _offers(draw: st.DrawFn, places: list[str]) -> OperatorOffer:
    reasons = draw(st.lists(st.sampled_from(TRANSFER_REASONS), min_size=1, unique=True))
    question = ChooseStep(OPERATOR_QUESTION, OPERATOR_QUESTION, "an operator?", draw(RETRIES), YES_NO)
    return OperatorOffer(question, tuple(reasons), "connecting", "nobody", "back", draw(st.sampled_from(places)))


@st.composite
def small_scripts(draw: st.DrawFn) -> Script:
    """Scripts with up to seven steps of all kinds, forward jumps, conditions, and tight or loose limits."""
    names = [f"s{n}" for n in range(draw(st.integers(0, 7)))]
    items = (*RATED_ITEMS, "sixth", "seventh")
    steps: list[Step] = [a_confirm()] if draw(st.booleans()) else []
    conditions = [*CONDITIONS, "right_person is yes"] if steps else CONDITIONS
    for n, name in enumerate(names):
        steps.append(draw(_step(name, items[n], [*names[n + 1 :], "close"], conditions)))
    limits = Limits(
        attempts_per_question=draw(st.integers(1, 3)), repeats_per_question=draw(st.integers(0, 3)), backs_per_call=draw(st.integers(0, 3))
    )
    offer = draw(st.none() | _offers(["", *(step.id for step in steps)]))
    return a_script(*steps, limits=limits, after_human=draw(st.sampled_from(["end", "continue"])), operator=offer)


SECONDS = st.sampled_from([None, 0.0, 0.5, 1.0, 4.0, 30.0])
SIDS = st.sampled_from([None, "RE1", "RE2"])
CODES = ["yes", "no", "satisfied", "very_dissatisfied", "c1", "back", "repeat", "human", "danger", "nonsense", None]
STAYING = st.one_of(
    st.just(NoInput()),
    st.builds(Digits, st.sampled_from([*"123456*7#", "", "12", "x", " "])),
    st.builds(Heard, st.sampled_from(CODES), st.floats(0, 1)),
    st.builds(Recorded, SIDS, SECONDS, st.sampled_from(["#", "1", "7", "*", "silence"])),
    st.just(Answered()),
    st.just(OperatorReady()),
    st.builds(TransferEnded, st.sampled_from(TRANSFER_RESULTS)),
)
EVENTS = st.one_of(
    STAYING,
    STAYING,
    st.builds(Digits, st.sampled_from("890")),
    st.builds(Recorded, SIDS, SECONDS, st.sampled_from(["hangup", "0", "9", "8"])),
    st.just(HungUp()),
)


def press(question: Question, key: str) -> Event:
    """What a person who presses `key` makes the carrier report while `question` waits."""
    return Recorded("RE1", 0, key) if isinstance(question, RecordStep) else Digits(key)
