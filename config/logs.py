"""Logging to standard error: plain lines or JSON lines, one record a line, without personal data (reliability §3.6)."""

import json
import logging
import re
import sys
from datetime import UTC, datetime

NUMBER = re.compile(r"(?<![0-9A-Za-z])(\+?)([0-9][0-9 \-]{5,17}[0-9])(?![0-9A-Za-z])")
TELEPHONE_DIGITS = range(7, 16)
MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}")
TOLD = ("action", "attempt", "campaign", "recording", "job", "reference")
"""What a record may carry beside its message: the event's name, and ids of rows."""

NEIGHBOURS = ("rq", "werkzeug", "twilio", "urllib3", "gunicorn", "alembic", "sqlalchemy")


def masked(text: str) -> str:
    """The text with everything that looks like a telephone number reduced to its last two digits."""
    return NUMBER.sub(_mask, text)


def _mask(match: re.Match[str]) -> str:
    digits = re.sub(r"\D", "", match[2])
    if len(digits) not in TELEPHONE_DIGITS or MOMENT.match(match[2]):
        return match[0]
    return f"{match[1]}***{digits[-2:]}"


def one_line(text: str) -> str:
    """The text with line breaks and other control characters written as escapes, so that nobody can forge a record."""
    return "".join(character if character.isprintable() else character.encode("unicode_escape").decode() for character in text)


class _Form:
    """The form that this process was set up to write."""

    json = False


class PlainFormatter(logging.Formatter):
    """`time level logger message`; a traceback follows on the same line, escaped."""

    def format(self, record: logging.LogRecord) -> str:
        """One line for one record."""
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        return f"{moment} {record.levelname.lower()} {record.name} {_message(record, self)}"


class JsonFormatter(logging.Formatter):
    """One JSON object a line: at, level, logger, process, message, `action` (the event's name), and the ids that belong to it."""

    def format(self, record: logging.LogRecord) -> str:
        """One line for one record."""
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(), "logger": record.name, "process": record.process,
            "message": _message(record, self),
        }  # fmt: skip
        told = {name: str(getattr(record, name)) for name in TOLD if hasattr(record, name)}
        return json.dumps({**line, "action": record.name, **told}, ensure_ascii=False)


def _message(record: logging.LogRecord, formatter: logging.Formatter) -> str:
    text = record.getMessage()
    if record.exc_info:
        text = f"{text} | {formatter.formatException(record.exc_info)}"
    return one_line(masked(text))


def set_up(form: str, level: str) -> None:
    """Send this process's log to standard error in the form `plain` or `json`, from `level` upwards."""
    _Form.json = form == "json"
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if form == "json" else PlainFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for name in NEIGHBOURS:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLogger().level))


def relayed(child: str, line: str, width: int = 0) -> str:
    """A line that a child has printed, as its parent passes it on: behind the child's name, or with it inside the JSON object.

    What a child prints that is no JSON, such as the last words of an interpreter, becomes a record of its own.
    """
    if not _Form.json:
        return f"{child:<{width}} | {masked(line)}"
    try:
        record = json.loads(line)
    except ValueError:
        record = None
    if not isinstance(record, dict):
        record = {
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"), "level": "info", "logger": "output",
            "message": one_line(masked(line)), "action": "child.printed",
        }  # fmt: skip
    return json.dumps({**record, "child": child}, ensure_ascii=False)
