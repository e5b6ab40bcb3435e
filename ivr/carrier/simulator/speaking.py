"""Callees who speak instead of pressing a key: what they say, and in which manner."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from ivr.carrier.simulator.line import CLEAN, Degradation
from ivr.carrier.simulator.voices import Utterance, voice_for
from ivr.carrier.simulator.wording import BY_NUMBER, COMMANDS, DIGITS, NO, RATINGS, STRAY, YES

MUMBLE = Degradation(snr_db=-3.0, is_narrow=True)
SPEAKS_AGAIN = 0.3  # the share of those who speak once more when they were not understood; the others press the key
CHINESE = re.compile(r"[\u3400-\u9fff]")


@dataclass(frozen=True)
class Manner:
    """One way of speaking, and how many of a hundred speakers have it."""

    name: str
    weight: int
    zh: str
    en: str


MANNERS = (
    Manner("plain", 58, "说出答案,听不懂再按键", "says the answer; asked again, mostly presses the key"),
    Manner("numbers", 12, "说数字:三、三号、选三", "says the number: three, number three"),
    Manner("talks_over", 8, "提示没念完就说", "speaks into the prompt"),
    Manner("says_and_presses", 7, "一边说一边按键", "speaks and presses the key at once"),
    Manner("mumbles", 8, "先含糊不清,再按键", "cannot be made out, then presses the key"),
    Manner("strays", 7, "先答非所问,再回答", "first says something else"),
)


@dataclass(frozen=True)
class Question:
    """What is being answered: the item, how many times it was asked, whether the answer is yes (None: it is no such question)."""

    item: str | None
    times: int
    is_rating: bool
    is_yes: bool | None
    heard: str


@dataclass(frozen=True)
class Say:
    """Say this, `after` seconds from the end of the prompt, or `into` it by that share of it. `meant` is the key it stands for,
    or the name of a wish; `also_presses` is a key pressed as the words end."""

    utterance: Utterance
    meant: str
    manner: str
    after: float = 1.2
    into: float | None = None
    also_presses: str = ""


class Speaker:
    """One callee's way of speaking. `speaks` is zh, en or any (the language that is heard); `chance` draws by name, in [0, 1)."""

    def __init__(self, speaks: str, manner: str, seed: str, chance: Callable[[str], float]) -> None:
        self.manner = manner or _drawn(chance("manner"))
        self._speaks, self._seed, self._chance = speaks, seed, chance
        self._language = speaks if speaks != "any" else "zh"

    def language(self, heard: str) -> str:
        """The language to answer in."""
        if self._speaks == "any" and heard.strip():
            self._language = "zh" if CHINESE.search(heard) else "en"
        return self._language

    def say(self, keys: str, intent: str, question: Question) -> Say | None:
        """What is said instead of pressing these keys; None: the keys are pressed."""
        language, again = self.language(question.heard), question.times > 1
        text = self._text(keys, intent, question, language)
        if text is None or (again and self._presses_now(question)):
            return None
        strays = intent == "wrong" or (self.manner == "strays" and intent == "answer" and not again)
        if strays:
            text = self._one_of(STRAY[language], question, "stray") or ""
        noise = MUMBLE if self.manner == "mumbles" and intent == "answer" and not again else CLEAN
        voice = voice_for(language, self._chance("voice"))
        utterance = Utterance(text, voice, noise, f"{self._seed}/{question.item}/{question.times}")
        return Say(
            utterance, "" if strays else keys if intent == "answer" else intent, self.manner,
            0.6 + 1.4 * self._chance(f"pause/{question.item}/{question.times}"),
            0.6 if self.manner == "talks_over" and not again else None,
            keys if self.manner == "says_and_presses" and intent == "answer" and not again else "",
        )  # fmt: skip

    def confirm(self, keys: str, is_right: bool, question: Question) -> Say | None:
        """What is said to the question whether something was heard right; None: the keys that are wanted are pressed."""
        if self._presses_now(question):
            return None
        language = self.language(question.heard)
        words = self._one_of(COMMANDS[language]["right" if is_right else "not right"], question, "echo") or ""
        utterance = Utterance(words, voice_for(language, self._chance("voice")), CLEAN, f"{self._seed}/echo/{question.item}")
        return Say(utterance, keys if is_right else "not right", self.manner)

    def _presses_now(self, question: Question) -> bool:
        speaks_again = self._chance(f"again/{question.item}/{question.times}") < (0.5 if self.manner == "strays" else SPEAKS_AGAIN)
        return question.times > 2 or self.manner == "mumbles" or not speaks_again

    def _text(self, keys: str, intent: str, question: Question, language: str) -> str | None:
        if intent == "wrong":
            return ""
        if intent != "answer":
            return self._one_of(COMMANDS[language].get(intent, ()), question, intent)
        if question.is_yes is not None:
            return self._one_of((YES if question.is_yes else NO)[language].get(question.item or "", ()), question, "yes or no")
        if not question.is_rating:
            return None
        if self.manner == "numbers" and keys.isdigit():
            return (self._one_of(BY_NUMBER[language], question, "number") or "{}").format(DIGITS[language].split()[int(keys)])
        return self._one_of(RATINGS[language].get(keys, ()), question, "rating")

    def _one_of(self, words: tuple[str, ...], question: Question, what: str) -> str | None:
        return words[int(self._chance(f"{what}/{question.item}/{question.times}") * len(words))] if words else None


def _drawn(chance: float) -> str:
    left = chance * sum(manner.weight for manner in MANNERS)
    for manner in MANNERS:
        left -= manner.weight
        if left < 0:
            return manner.name
    return MANNERS[-1].name
