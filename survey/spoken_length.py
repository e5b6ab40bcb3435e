"""How long words take to say, estimated from their letters; the rendered sound is the truth, where there is one.

Chinese: 4.5 characters a second, punctuation counted as a pause of one (domain §2.6). English: 2.5 words a second.
"""

from survey.script import ChoiceStep, HangupStep, RecordStep, Script

CHARACTERS_A_SECOND = 4.5
WORDS_A_SECOND = 2.5
ANSWER_SECONDS = 2.0  # from the end of a question to the key


def seconds(text: str, language: str) -> float:
    """Estimated length of `text` when spoken, in seconds."""
    if language.startswith("zh"):
        return len("".join(text.split())) / CHARACTERS_A_SECOND
    return len(text.split()) / WORDS_A_SECOND


def path_seconds(script: Script, lengths: dict[str, float], *, dissatisfied: bool, speech: bool) -> float:
    """Seconds of one walk through all steps in order: prompts, keys, and recordings at full length if `speech`.

    `lengths` maps prompt id to seconds. Without `dissatisfied` the steps with a condition are left out.
    """
    total = 0.0
    for step in script.steps:
        if step.when and not dissatisfied:
            continue
        total += lengths[step.id]
        if isinstance(step, ChoiceStep | RecordStep):
            total += step.max_seconds if isinstance(step, RecordStep) and speech else ANSWER_SECONDS
        if isinstance(step, HangupStep) and not step.when:
            break
    return total
