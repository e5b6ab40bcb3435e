"""The carrier's words for calls, translated once at the border by literal tables.

Codes of failed calls (SIP, carrier) stay numbers here: `survey.fieldwork.settlement` reads the verdict out of them.
A word that stands in no table is an error with the word in it, never silently "failed".
"""

LADDER = {
    "queued": "placed",
    "initiated": "initiated",
    "ringing": "ringing",
    "in-progress": "in_progress",
    "answered": "in_progress",  # some carriers that speak this contract send both words
    "completed": "completed",
    "busy": "busy",
    "no-answer": "no_answer",
    "failed": "failed",
    "canceled": "canceled",
}
"""CallStatus of web-hooks and of the REST API → word of `survey.ladder`."""

ANSWERED_BY = {
    "human": "human",
    "unknown": "unknown",  # to be treated as a person
    "machine_start": "machine",
    "machine_end_beep": "machine",
    "machine_end_silence": "machine",
    "machine_end_other": "machine",
    "fax": "fax",
}
"""AnsweredBy → human, unknown, machine, fax."""

RECORDING_STATUS = {
    "in-progress": "in_progress",
    "paused": "in_progress",
    "stopped": "in_progress",
    "processing": "in_progress",
    "completed": "completed",
    "absent": "absent",
    "failed": "absent",
}
"""RecordingStatus → in_progress, completed (the file exists), absent (it never will)."""


class UnknownWord(ValueError):
    """The carrier used a word that this program does not know."""

    def __init__(self, parameter: str, word: str) -> None:
        super().__init__(f"{parameter}={word[:64]!r} is not a word this program knows")


def ladder_status(word: str) -> str:
    """The rung of `survey.ladder` that a CallStatus means. Raises UnknownWord."""
    return _look_up(LADDER, "CallStatus", word)


def answerer(word: str) -> str:
    """Who AnsweredBy says picked up: human, unknown, machine, or fax. Raises UnknownWord."""
    return _look_up(ANSWERED_BY, "AnsweredBy", word)


def recording_status(word: str) -> str:
    """What has become of a recording: in_progress, completed, or absent. Raises UnknownWord."""
    return _look_up(RECORDING_STATUS, "RecordingStatus", word)


def _look_up(table: dict[str, str], parameter: str, word: str) -> str:
    try:
        return table[word]
    except KeyError:
        raise UnknownWord(parameter, word) from None
