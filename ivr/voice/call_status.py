"""The carrier's words for calls, translated once at the border by literal tables.

A word that stands in no table is an error with the word in it, never silently "failed".
"""

from survey.disposition import Disposition

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

BY_SIP = {
    "404": Disposition.NO_SUCH_NUMBER,
    "410": Disposition.NO_SUCH_NUMBER,
    "484": Disposition.NO_SUCH_NUMBER,
    "604": Disposition.NO_SUCH_NUMBER,
    "486": Disposition.BUSY,
    "600": Disposition.BUSY,
    "408": Disposition.NO_ANSWER,
    "480": Disposition.NO_ANSWER,
    "487": Disposition.NO_ANSWER,
    "403": Disposition.BLOCKED,
    "603": Disposition.BLOCKED,
    "607": Disposition.BLOCKED,
    "608": Disposition.BLOCKED,
}
"""SipResponseCode of a failed call → what it says about the number (RFC 3261 §21, RFC 8197, RFC 8688)."""

BY_ERROR = {
    "13224": Disposition.NO_SUCH_NUMBER,
    "13225": Disposition.BLOCKED,
    "13227": Disposition.BLOCKED,
    "21211": Disposition.NO_SUCH_NUMBER,
    "21214": Disposition.NO_SUCH_NUMBER,
    "21217": Disposition.NO_SUCH_NUMBER,
    "21215": Disposition.BLOCKED,
    "21216": Disposition.BLOCKED,
}
"""ErrorCode of a failed call → what it says about the number (twilio_voice §1.4)."""


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


def failure(sip_code: str, error_code: str) -> Disposition:
    """The disposition of a call that the carrier calls failed; a code that says nothing of the number is technical (3.16).

    The SIP code of the far network counts before the carrier's own code.
    """
    return BY_SIP.get(sip_code) or BY_ERROR.get(error_code) or Disposition.TECHNICAL


def _look_up(table: dict[str, str], parameter: str, word: str) -> str:
    try:
        return table[word]
    except KeyError:
        raise UnknownWord(parameter, word) from None
