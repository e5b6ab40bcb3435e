"""A question of a script as what may be heard there."""

from speech.meaning import Choice, Expectation
from survey.fieldwork import Asked
from survey.script import RateStep

YES_OR_NO = (Choice("yes", "", ()), Choice("no", "", ()))
"""What answers to “is that right?”."""


def expectation(asked: Asked) -> Expectation:
    """What may be said at the question in force, with the script's own words for it."""
    script, question = asked.script, asked.question
    offered = () if asked.is_doubt else getattr(question, "choices", ())
    choices = tuple(Choice(choice.code, choice.key, (choice.say, *choice.words)) for choice in offered)
    is_scale = isinstance(question, RateStep) and not asked.is_doubt
    return Expectation(script.language, choices or YES_OR_NO, script.keys.meanings, script.danger_words, is_scale)
