"""A question of a script as what may be heard there, and what was meant by what was heard."""

from collections.abc import Sequence

from speech.caution import cautious
from speech.meaning import Choice, Expectation, Meaning, phrases, understand
from speech.transcript import Transcript
from survey.fieldwork import Asked
from survey.script import Choice as Offered
from survey.script import RateStep

YES_OR_NO = (Choice("yes", "", ()), Choice("no", "", ()))
"""What answers to “is that right?”."""

Expectations = tuple[Expectation, ...]


def expectations(asked: Asked) -> Expectations:
    """What may be said at the question in force, with the script's own words for it, in the order in which it is tried.

    While a rating is being asked back, that is yes or no, and only then a rating: a whole utterance is one or the other.
    """
    script, question = asked.script, asked.question
    offered = () if asked.is_doubt else getattr(question, "choices", ())
    first = Expectation(
        script.language, _spoken(offered) or YES_OR_NO, script.keys.meanings, script.danger_words,
        isinstance(question, RateStep) and not asked.is_doubt,
    )  # fmt: skip
    if not (asked.is_doubt and isinstance(question, RateStep)):
        return (first,)
    return (first, Expectation(script.language, _spoken(question.choices), script.keys.meanings, script.danger_words, is_scale=True))


def listened_for(expected: Expectations) -> Sequence[str]:
    """What a recogniser should listen for, the most important first."""
    return tuple(dict.fromkeys(phrase for one in expected for phrase in phrases(one)))


def meant(heard: Transcript, expected: Expectations) -> Meaning:
    """What was meant, as far as such sound may be trusted; nothing where no expectation is met."""
    found = [cautious(understand(heard, one), heard, one) for one in expected]
    return next((meaning for meaning in found if meaning.code is not None), found[0])


def _spoken(choices: Sequence[Offered]) -> tuple[Choice, ...]:
    return tuple(Choice(choice.code, choice.key, (choice.say, *choice.words)) for choice in choices)
