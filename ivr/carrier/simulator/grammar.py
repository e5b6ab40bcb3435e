"""The verbs, their attributes and what may stand inside them, as data (twilio_voice §3.2, §4)."""

from collections.abc import Mapping

_CALLBACK = frozenset({"statusCallback", "statusCallbackMethod", "statusCallbackEvent"})
_RECORDING = frozenset({"recordingStatusCallback", "recordingStatusCallbackMethod", "recordingStatusCallbackEvent"})
_AMD = frozenset(
    {"machineDetection", "amdStatusCallback", "amdStatusCallbackMethod", "machineDetectionTimeout", "machineDetectionSpeechThreshold",
     "machineDetectionSpeechEndThreshold", "machineDetectionSilenceTimeout"}
)  # fmt: skip
_ACTION = frozenset({"action", "method"})

ATTRIBUTES: dict[str, frozenset[str]] = {
    "Say": frozenset({"language", "voice", "loop"}),
    "Play": frozenset({"loop", "digits"}),
    "Pause": frozenset({"length"}),
    "Gather": _ACTION | {
        "input", "timeout", "speechTimeout", "numDigits", "finishOnKey", "actionOnEmptyResult", "language", "hints", "speechModel",
        "enhanced", "profanityFilter", "partialResultCallback", "partialResultCallbackMethod", "bargeIn", "maxSpeechTime", "debug",
    },
    "Record": _ACTION | _RECORDING | {
        "timeout", "finishOnKey", "maxLength", "playBeep", "trim", "transcribe", "transcribeCallback",
    },
    "Redirect": frozenset({"method"}),
    "Hangup": frozenset(),
    "Leave": frozenset(),
    "Reject": frozenset({"reason"}),
    "Dial": _ACTION | _RECORDING | {
        "timeout", "timeLimit", "callerId", "answerOnBridge", "hangupOnStar", "record", "recordingTrack", "trim", "ringTone", "sequential",
        "referUrl", "referMethod",
    },
    "Enqueue": _ACTION | {"waitUrl", "waitUrlMethod", "workflowSid", "maxQueueSize"},
    "Connect": _ACTION,
    "Start": _ACTION,
    "Stop": frozenset(),
    "Number": _CALLBACK | _AMD | {"url", "method", "sendDigits", "byoc"},
    "Client": _CALLBACK | {"url", "method"},
    "Sip": _CALLBACK | _AMD | {"url", "method", "username", "password"},
    "Queue": frozenset({"url", "method", "reservationSid", "postWorkActivitySid"}),
    "Conference": _CALLBACK | {
        "muted", "beep", "startConferenceOnEnter", "endConferenceOnExit", "waitUrl", "waitMethod", "maxParticipants", "participantLabel",
        "jitterBufferSize", "region",
    },
    "Stream": frozenset({"url", "name", "track", "statusCallback", "statusCallbackMethod"}),
    "Parameter": frozenset({"name", "value"}),
    "Identity": frozenset(),
    "Task": frozenset({"priority", "timeout"}),
}  # fmt: skip

TOP_LEVEL = frozenset(
    {"Say", "Play", "Pause", "Gather", "Record", "Redirect", "Hangup", "Leave", "Reject", "Dial", "Enqueue", "Connect", "Start", "Stop"}
)
CHILDREN: dict[str, frozenset[str]] = {
    "Gather": frozenset({"Say", "Play", "Pause"}),
    "Dial": frozenset({"Number", "Client", "Sip", "Queue", "Conference"}),
    "Connect": frozenset({"Stream"}),
    "Start": frozenset({"Stream"}),
    "Stop": frozenset({"Stream"}),
    "Stream": frozenset({"Parameter"}),
    "Client": frozenset({"Identity", "Parameter"}),
    "Enqueue": frozenset({"Task"}),
}

_COUNT, _BOOL, _METHOD = r"[1-9]\d*", "true|false", "GET|POST"
_HAPPENINGS = "start|end|join|leave|mute|hold|modify|speaker|announcement"
VALUES: dict[tuple[str, str], str] = {
    ("Say", "loop"): r"\d+",
    ("Play", "loop"): r"\d+",
    ("Play", "digits"): r"[0-9A-D#*wW]+",
    ("Pause", "length"): _COUNT,
    ("Gather", "input"): "dtmf|speech|dtmf speech|speech dtmf",
    ("Gather", "timeout"): f"{_COUNT}|auto",
    ("Gather", "speechTimeout"): f"{_COUNT}|auto",
    ("Gather", "numDigits"): _COUNT,
    ("Gather", "finishOnKey"): r"[0-9#*]?",
    ("Gather", "actionOnEmptyResult"): _BOOL,
    ("Gather", "profanityFilter"): _BOOL,
    ("Gather", "bargeIn"): _BOOL,
    ("Gather", "method"): _METHOD,
    ("Record", "method"): _METHOD,
    ("Record", "timeout"): r"\d+",
    ("Record", "finishOnKey"): r"[0-9#*]*",
    ("Record", "maxLength"): _COUNT,
    ("Record", "playBeep"): _BOOL,
    ("Record", "trim"): "trim-silence|do-not-trim",
    ("Record", "recordingStatusCallbackEvent"): r"(in-progress|completed|absent)( (in-progress|completed|absent))*",
    ("Redirect", "method"): _METHOD,
    ("Reject", "reason"): "rejected|busy",
    ("Dial", "method"): _METHOD,
    ("Dial", "timeout"): _COUNT,
    ("Dial", "timeLimit"): _COUNT,
    ("Enqueue", "method"): _METHOD,
    ("Enqueue", "waitUrlMethod"): _METHOD,
    ("Conference", "muted"): _BOOL,
    ("Conference", "beep"): f"{_BOOL}|onEnter|onExit",
    ("Conference", "startConferenceOnEnter"): _BOOL,
    ("Conference", "endConferenceOnExit"): _BOOL,
    ("Conference", "waitMethod"): _METHOD,
    ("Conference", "maxParticipants"): r"[1-9]\d?|1\d\d|2[0-4]\d|250",
    ("Conference", "participantLabel"): ".{1,128}",
    ("Conference", "statusCallbackMethod"): _METHOD,
    ("Conference", "statusCallbackEvent"): f"({_HAPPENINGS})( ({_HAPPENINGS}))*",
    ("Stream", "url"): r"wss?://[^?]+",
    ("Stream", "track"): "inbound_track|outbound_track|both_tracks",
}


def attributes_of(name: str) -> frozenset[str]:
    """The attribute names that an element takes."""
    return ATTRIBUTES.get(name, frozenset())


ROOM_VERBS = frozenset({"Say", "Play", "Pause", "Redirect"})
"""What may fill the time in a conference: before it starts, on hold, as an announcement."""
LAST_WORDS = frozenset({"Hangup", "Redirect", "Reject", "Leave"})
"""Verbs after which nothing is reached."""


def ends_a_document(name: str, attributes: Mapping[str, str]) -> bool:
    """Whether a document may end with this verb: it ends the call or hands it to another document."""
    return name in LAST_WORDS or (name in ("Record", "Dial", "Enqueue", "Connect") and bool(attributes.get("action")))
