"""A person with a telephone: decides from what is heard, never from our URLs or our database."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ivr.carrier.simulator.listening import echo_in, is_about, is_denial, key_for, question_in, speaking_seconds
from ivr.carrier.simulator.speaking import Question, Say, Speaker
from ivr.carrier.simulator.voices import Voice, voice_for
from ivr.carrier.simulator.wording import ABUSES, RATING_KEYS, REASONS, REMARKS

RATED = ("speed", "attitude", "outcome", "equipment", "appearance")
APPEASED = 0.6
"""The share of people whose matter was put right when they are called again, of whom most are satisfied then."""
PLEASED = 0.85
TALKATIVE = 0.5
"""The share of those that are drawn who talk to an operator when one is offered."""

MIXED_WEIGHTS = (("1", 46), ("2", 34), ("3", 10), ("4", 4), ("5", 2), ("6", 4))


@dataclass(frozen=True)
class Press:
    """Press `keys`, the first one `after` seconds after the prompt, or into it when `barge`. `intent` says what is meant."""

    keys: str
    intent: str = "answer"
    after: float = 1.2
    gap: float = 0.6
    barge: bool = False


@dataclass(frozen=True)
class Silence:
    """Do nothing."""


@dataclass(frozen=True)
class HangUp:
    """Leave `after` seconds from the start of what is heard."""

    after: float = 2.0


@dataclass(frozen=True)
class Speak:
    """Say something of `seconds`, then `#` (or another key), `hangup` or `silence`. Without `text` the callee finds its own words."""

    seconds: float
    then: str = "#"
    text: str = ""
    voice: Voice | None = None


Reaction = Press | Silence | HangUp | Speak


@dataclass(frozen=True)
class PickUp:
    """What happens when the number is called. `outcome`: answered, busy, no-answer, failed; `by`: human, machine, fax."""

    outcome: str = "answered"
    ring_seconds: float = 8.0
    by: str = "human"
    sip_code: int | None = None


@dataclass(frozen=True)
class Traits:
    """How one kind of callee behaves; a rating not named in `ratings` is drawn by the seeded hash of number and item."""

    pick_up: str = "human"  # human, machine, fax, busy, no-answer, no-such-number, rejected
    answers_from: int = 1  # the number of the first call that is picked up
    before: str = "no-answer"  # what happens to earlier calls; `later`: they are answered, and put off with the key for that
    ratings: Mapping[str, str] = field(default_factory=dict)
    right_person: bool = True
    consents: bool = True
    interfered: bool = False
    abused: bool = False
    put_right: bool | None = None  # asked in a second call; None: drawn anew for each call
    satisfied_now: bool | None = None  # the same; drawn: only where the matter was put right
    reason: Speak = Speak(6.0)
    remark: Speak | None = None
    wants_operator: bool | None = False  # offered one; who asks for a human always does; None: drawn by the seed
    at_desk: str = ""  # takes, silent, wrong key, hangs up: an operator's telephone, and what is done when a call is whispered
    ring_seconds: float | None = None  # until it is picked up; None: drawn for each call
    presses: str = "keys"  # keys, nothing, `second` (silent the first time a question is asked), `wrong first`
    barges_in: bool = False
    repeats_at: str | None = None
    goes_back_at: str | None = None
    asks_for: str | None = None  # later, never, human
    asks_at: str = "right_person"
    hangs_up_after: float | None = None  # seconds from the answer
    hangs_up_at: str | None = None  # while this question is read
    talk_seconds: float = 45.0  # with a person, after being joined
    patience_seconds: float = 180.0  # in a queue
    calls_back_after: float | None = None  # seconds after a call that was missed
    speaks: str = ""  # zh, en, any: says instead of pressing, where somebody listens; never: not even where a share of all does
    manner: str = ""  # one of `speaking.MANNERS`; drawn when it is not named


class Persona:
    """One callee during one call; `nth` counts the calls to the number. Deterministic for (traits, number, seed, nth).

    `speakers` is the share of callees who speak although their traits do not say so.
    """

    def __init__(self, traits: Traits, number: str, seed: int, nth: int, speakers: float = 0.0) -> None:
        self.traits, self.number, self.seed, self.nth = traits, number, seed, nth
        self.is_speaker = traits.speaks != "never" and (bool(traits.speaks) or self._chance("speaks") < speakers)
        language = traits.speaks if self.is_speaker and traits.speaks else "any"
        self._speaker = Speaker(language, traits.manner, f"{seed}/{number}", self._chance)
        self.item: str | None = None
        self._wanted: Press | None = None  # what was put into words
        self._asked: dict[str, int] = {}
        self._done: set[str] = set()

    @property
    def is_ringing(self) -> bool:
        """Whether it is still open what `pick_up` says: a callee of the table knows it beforehand."""
        return False

    def pick_up(self) -> PickUp:
        """What this call comes to."""
        kind = self.traits.pick_up
        if self.nth < self.traits.answers_from and self.traits.before != "later":
            kind = self.traits.before
        drawn = 4.0 + self._chance(f"ring/{self.nth}") * 12
        ring = drawn if self.traits.ring_seconds is None else self.traits.ring_seconds
        if kind in ("human", "machine", "fax"):
            return PickUp("answered", ring if kind == "human" else 18.0, kind)
        if kind == "no-such-number":
            return PickUp("failed", sip_code=404)
        return PickUp(kind, 1.5 if kind == "busy" else 600.0, sip_code=486 if kind == "busy" else 487)

    def at_keys(self, heard: str) -> Reaction:
        """React to a wait for keys; `heard` is what was said since the last wait."""
        if self.traits.pick_up in ("machine", "fax") or self.traits.presses == "nothing":
            self._understand(heard)
            return Silence()
        item = self._understand(heard)
        for mood in (self._checking, self._leaving, self._asking, self._returning, self._odd, self._answer):
            reaction = mood(item, heard)
            if reaction is not None:
                return reaction
        return Silence()

    def at_recording(self, heard: str, finish_keys: str) -> Reaction:
        """React to the beep; `finish_keys` end the recording."""
        item = self._understand(heard)
        if self.traits.pick_up in ("machine", "fax") or self.traits.presses == "nothing":
            return Silence()
        if self.traits.hangs_up_at == item:
            return HangUp(1.0)
        if item == "reason":
            return self._in_words(self.traits.reason, heard, ABUSES if self.traits.abused else REASONS)
        if self.traits.remark is not None:
            return self._in_words(self.traits.remark, heard, REMARKS)
        nothing = key_for("no", heard) or "#"
        return Press(nothing if nothing in finish_keys else "#", "nothing to say")

    def aloud(self, reaction: Reaction, heard: str) -> Say | None:
        """What is said instead of a reaction by keys; None: keys it is."""
        if not self.is_speaker or not isinstance(reaction, Press):
            return None
        self._wanted = reaction
        question = Question(self.item, self._asked.get(self.item or "", 1), self.item in RATED, self._means_yes(self.item), heard)
        echo = echo_in(heard)
        if echo is None:
            return self._speaker.say(reaction.keys, reaction.intent, question)
        return self._speaker.confirm(reaction.keys, self._is_meant(echo, reaction), question)

    def _means_yes(self, item: str | None) -> bool | None:
        return self.traits.remark is not None if item == "remark" else self._says_yes().get(item or "")

    def _checking(self, item: str | None, heard: str) -> Reaction | None:
        """Asked back whether something was heard right, press the key of what is wanted, right or not."""
        return self._wanted if echo_in(heard) is not None else None

    def _is_meant(self, echo: str, wanted: Press) -> bool:
        if wanted.intent != "answer":
            return is_about(wanted.intent, echo)
        yes = self._means_yes(self.item)
        return RATING_KEYS.get(echo) == wanted.keys if yes is None else is_denial(echo) != yes

    def _in_words(self, speak: Speak, heard: str, sentences: Mapping[str, tuple[str, ...]]) -> Speak:
        language = self._speaker.language(heard)
        fitting = [each for each in sentences[language] if speaking_seconds(each) <= speak.seconds] or [min(sentences[language], key=len)]
        text = speak.text or fitting[int(self._chance(f"words/{self.item}") * len(fitting))]
        return replace(speak, text=text, voice=speak.voice or voice_for(language, self._chance("voice")))

    def _understand(self, heard: str) -> str | None:
        self.item = question_in(heard) or self.item if echo_in(heard) is None else self.item
        if self.item:
            self._asked[self.item] = self._asked.get(self.item, 0) + 1
        return self.item

    def _leaving(self, item: str | None, heard: str) -> Reaction | None:
        return HangUp() if item is not None and item == self.traits.hangs_up_at else None

    def _asking(self, item: str | None, heard: str) -> Reaction | None:
        wish = "later" if self.traits.before == "later" and self.nth < self.traits.answers_from else self.traits.asks_for
        if wish is None or item not in ((self.traits.asks_at,) if wish == "human" else (self.traits.asks_at, None)):
            return None
        if wish in self._done:
            return None if wish == "human" else HangUp(1.5)
        self._done.add(wish)
        convention = {"later": "9", "never": "0", "human": "8"}[wish]
        return Press(key_for(wish, heard) or convention, wish)

    def _returning(self, item: str | None, heard: str) -> Reaction | None:
        """Whoever calls us takes the survey when it is offered."""
        key = key_for("now", heard) if item is None else None
        return Press(key, "now") if key else None

    def _odd(self, item: str | None, heard: str) -> Reaction | None:
        first_time = item is not None and self._asked[item] == 1
        if self.traits.presses == "second" and first_time:
            return Silence()
        if self.traits.presses == "wrong first" and first_time and item != "remark":
            return Press("#" if item in RATED else "5", "wrong")
        if item is not None and item == self.traits.repeats_at and "repeat" not in self._done:
            self._done.add("repeat")
            return Press(key_for("repeat", heard) or "*", "repeat")
        if item is not None and item == self.traits.goes_back_at and "back" not in self._done:
            self._done.add("back")
            return Press(key_for("back", heard) or "7", "back")
        return None

    def _answer(self, item: str | None, heard: str) -> Reaction | None:
        if item is None:
            return None
        if item in RATED:
            return self._press(self._rating(item))
        if item == "remark":
            return self._remark_by_key(heard)
        if item == "operator":
            return self._press(self._yes_or_no(item, self._wants_operator(), heard))
        if item in self._says_yes():
            yes = self._says_yes()[item]
            return self._press(self._yes_or_no(item, yes, heard))
        return None

    def _says_yes(self) -> dict[str, bool]:
        traits = self.traits
        return {
            "right_person": traits.right_person, "consent": traits.consents, "interference": traits.interfered, "discipline": traits.abused,
            "put_right": self._is_put_right(), "satisfied_now": self._is_satisfied_now(),
        }  # fmt: skip

    def _wants_operator(self) -> bool:
        drawn = self._chance("wants an operator") < TALKATIVE
        wanted = drawn if self.traits.wants_operator is None else self.traits.wants_operator
        return wanted or self.traits.asks_for == "human"

    def _is_put_right(self) -> bool:
        drawn = self._chance(f"put right/{self.nth}") < APPEASED
        return drawn if self.traits.put_right is None else self.traits.put_right

    def _is_satisfied_now(self) -> bool:
        drawn = self._is_put_right() and self._chance(f"satisfied now/{self.nth}") < PLEASED
        return drawn if self.traits.satisfied_now is None else self.traits.satisfied_now

    def _yes_or_no(self, item: str, yes: bool, heard: str) -> str:
        if item == "operator":
            key = key_for("operator", heard) or "1"
            return key if yes else "2" if key == "1" else "1"
        no_is_first = item in ("interference", "discipline")
        offered = key_for("no", heard)
        no = offered or ("1" if no_is_first else "2")
        return ("2" if no == "1" else "1") if yes else no

    def _remark_by_key(self, heard: str) -> Reaction | None:
        if self.traits.remark is None:
            return self._press(key_for("no", heard) or "1")
        key = key_for("speak", heard)
        return self._press(key) if key else Silence()

    def _press(self, keys: str) -> Press:
        if self.traits.barges_in:
            return Press(keys, after=0.8, barge=True)
        return Press(keys, after=0.6 + self._chance(f"{self.item}/{len(self._asked)}") * 2)

    def _rating(self, item: str) -> str:
        went_back = "back" in self._done and self._asked[item] > 1
        drawn = self.traits.ratings.get(item) or weighted(self._chance(f"rating/{item}"))
        return ("2" if drawn == "1" else "1") if went_back and item != self.traits.goes_back_at else drawn

    def _chance(self, what: str) -> float:
        digest = hashlib.blake2b(f"{self.seed}/{self.number}/{what}".encode(), digest_size=6).digest()
        return int.from_bytes(digest, "big") / 2**48


def weighted(chance: float) -> str:
    """The key of a mixed callee for a chance in [0, 1)."""
    left = chance * sum(weight for _, weight in MIXED_WEIGHTS)
    for key, weight in MIXED_WEIGHTS:
        left -= weight
        if left < 0:
            return key
    return MIXED_WEIGHTS[-1][0]
