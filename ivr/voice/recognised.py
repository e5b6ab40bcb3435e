"""What the carrier's own recogniser wrote down, where the house leaves the listening to it (`<Gather input="dtmf speech">`)."""

from collections.abc import Mapping

from ivr.voice.expectations import expectations, meant
from ivr.voice.twiml import Hints
from speech.transcript import Transcript, Word
from survey.events import Event, Heard
from survey.fieldwork import Asked
from survey.script import Script

TAGS = {"zh-CN": "cmn-Hans-CN"}
"""Languages that the carrier's recogniser calls otherwise than its voices do (twilio_voice §3.2)."""

LONGEST_TEXT = 200
MOST_HINTS, LONGEST_HINT = 200, 100
UNTOLD = 0.6
"""The confidence of words that came without one: enough to ask back, not to take them (twilio_voice §11, rule 14)."""


def speech(form: Mapping[str, str]) -> Transcript | None:
    """The words in the carrier's form with one confidence for all of them; None when there are none."""
    text = form.get("SpeechResult", "").strip()[:LONGEST_TEXT]
    if not text:
        return None
    sure = _confidence(form.get("Confidence", ""))
    return Transcript(tuple(Word(word, float(place), place + 1.0, sure) for place, word in enumerate(text.split())))


def _confidence(told: str) -> float:
    try:
        found = float(told)
    except ValueError:
        return UNTOLD
    return found if 0.0 < found <= 1.0 else UNTOLD


def heard(said: Transcript, asked: Asked) -> Event:
    """What was meant by it at the question in force."""
    meaning = meant(said, expectations(asked))
    return Heard(meaning.code, meaning.confidence, meaning.evidence[:64])


def hints(script: Script, tag: str) -> Hints:
    """What the carrier should listen for in this script, in the language that its voice knows by this tag."""
    offered = (choice for question in script.questions for choice in getattr(question, "choices", ()))
    phrases = dict.fromkeys(phrase for choice in offered for phrase in (choice.say, *choice.words))
    usable = [phrase for phrase in phrases if "," not in phrase and len(phrase) <= LONGEST_HINT]
    return Hints(TAGS.get(tag, tag), tuple(usable[:MOST_HINTS]))
