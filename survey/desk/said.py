"""What a person has said in a call so far, step by step: keys, words that were understood, remarks and their transcripts (O14, O16).

Long numbers are masked and names may occur, as on the pages of remarks: whole, a remark is shown against a reason alone.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from sqlalchemy.orm import Session

from survey import coding
from survey.errors import CannotUnseal
from survey.fieldwork.office import Office
from survey.script import Question, Script
from survey.store.models import CallAttempt, Hearing, Turn
from survey.store.queries import said as queries
from survey.store.queries.said import SaidRow
from survey.store.sealing import place

UNSURE_BELOW = 0.5
"""Words of less confidence are marked: the ear may know better."""

DIGIT = r"(?:[0-9〇零一二两三四五六七八九幺]|(?<![a-z])(?:zero|oh|one|two|three|four|five|six|seven|eight|nine|double|triple)(?![a-z]))"
LONG_NUMBER = re.compile(rf"{DIGIT}(?:[\s-]*{DIGIT}){{4,}}", re.IGNORECASE)
STARS = "*****"
UNREADABLE = "?"


@dataclass(frozen=True)
class Piece:
    """One thing that came from the person at the question `item`. `kind`: keys, speech, silence, remark.

    `raw` are the keys or the words that told, `code` what they mean ("" for nothing). `outcome`: what became of it, for a remark the
    state of its text. `words` are a remark's text in pieces, each with whether the machine is unsure of it; `is_machine` says that no
    person has corrected it. `sound` is the identity of what can be listened to ("" for nothing), `danger` are the words of danger in it.
    """

    kind: str
    at: datetime
    item: str
    raw: str = ""
    code: str = ""
    confidence: float | None = None
    is_unsure: bool = False
    outcome: str = ""
    problem: str = ""
    words: tuple[tuple[str, bool], ...] = ()
    language: str = ""
    is_machine: bool = True
    sound: str = ""
    seconds: float | None = None
    danger: tuple[str, ...] = ()


def said(session: Session, office: Office, attempt: CallAttempt) -> tuple[Piece, ...]:
    """Everything that came from the person in this call so far, oldest first."""
    script = office.script(session, attempt.script_version_id)
    hearings = queries.hearings_of(session, attempt.id)
    understood = {hearing.step for hearing in hearings}
    found = [
        *(_spoken(script, hearing) for hearing in hearings),
        *_turns(script, queries.turns_of(session, attempt.id), understood),
        *(_remark(office, row) for row in queries.words_of(session, attempt.id)),
    ]
    return tuple(sorted(found, key=lambda piece: piece.at))


def marked(words: Iterable[tuple[str, float]], language: str) -> tuple[tuple[str, bool], ...]:
    """Words with their confidence (0.0 to 1.0) as text in pieces, each with whether the machine is unsure; long numbers masked.

    A piece ends where a doubtful word begins or ends; a number that is masked is one piece and never doubtful.
    """
    gap = " " if language == "en" else ""
    letters: list[tuple[str, int]] = []  # each character with its word, -1 for none
    doubtful = set()
    for number, (word, confidence) in enumerate(words):
        if letters and gap:
            letters.append((gap, -1))
        letters += [(letter, number) for letter in coding.readable(word)]
        if confidence < UNSURE_BELOW:
            doubtful.add(number)
    return tuple(_pieces(letters, doubtful))


def _pieces(letters: Sequence[tuple[str, int]], doubtful: set[int]) -> Iterator[tuple[str, bool]]:
    text = "".join(letter for letter, _ in letters)
    hidden = {at for found in LONG_NUMBER.finditer(text) for at in range(found.start(), found.end())}
    piece, last = "", None
    for at, (letter, word) in enumerate(letters):
        kind = STARS if at in hidden else word if word in doubtful else None
        if kind != last and piece:
            yield piece, isinstance(last, int)
            piece = ""
        piece = STARS if kind == STARS else piece + letter
        last = kind
    if piece:
        yield piece, isinstance(last, int)


# ── questions ────────────────────────────────────────────────────────────────────────────────────────


def _spoken(script: Script, hearing: Hearing) -> Piece:
    return Piece(
        "speech", hearing.at, hearing.item, LONG_NUMBER.sub(STARS, hearing.evidence), hearing.code or "", hearing.confidence,
        hearing.confidence < script.understanding.accept, hearing.outcome, language=hearing.language,
        sound=hearing.public_id if hearing.sound_sealed is not None else "", seconds=hearing.seconds,
    )  # fmt: skip


def _turns(script: Script, turns: Sequence[Turn], understood: set[int]) -> Iterator[Piece]:
    """What the round trips brought; what was understood in the house stands with the hearings, recordings by themselves."""
    for before, turn in pairwise(turns):
        question = _question(script, before.node)
        kind = turn.event.get("event")
        if question is None:
            continue
        if kind == "digits":
            keys = str(turn.event.get("keys", "")).strip()
            yield Piece("keys", turn.at, question.item, keys, _meaning(script, question, keys))
        elif kind == "heard" and turn.step not in understood:
            confidence = float(turn.event.get("confidence") or 0.0)
            unsure = confidence < script.understanding.accept
            yield Piece("speech", turn.at, question.item, "", turn.event.get("code") or "", confidence, unsure)
        elif kind == "noinput":
            yield Piece("silence", turn.at, question.item)


def _question(script: Script, node: str) -> Question | None:
    try:
        return script.question(node)
    except (KeyError, TypeError):
        return None


def _meaning(script: Script, question: Question, keys: str) -> str:
    """The code that keys stand for: a choice of the question, or a command that holds everywhere."""
    choices = {choice.key: choice.code for choice in getattr(question, "choices", ())}
    return choices.get(keys) or script.keys.meanings.get(keys, "")


# ── remarks ──────────────────────────────────────────────────────────────────────────────────────────


def _remark(office: Office, row: SaidRow) -> Piece:
    recording, transcript = row.recording, row.transcript
    language = transcript.language if transcript else ""
    return Piece(
        "remark", recording.announced_at, recording.item, confidence=transcript.confidence if transcript else None,
        outcome=transcript.state if transcript else "waiting", problem=transcript.problem if transcript else recording.problem,
        words=_words(office, row), language=language, is_machine=row.correction is None,
        sound=recording.public_id if recording.state == "kept" else "", seconds=recording.seconds, danger=_danger(office, row),
    )  # fmt: skip


def _words(office: Office, row: SaidRow) -> tuple[tuple[str, bool], ...]:
    if row.correction is not None:
        text = _opened(office, row.correction.text_sealed, "transcript_corrections", "text_sealed", row.correction.public_id)
        return ((LONG_NUMBER.sub(STARS, text), False),) if text else ()
    if row.transcript is None:
        return ()
    told = _opened(office, row.transcript.words_sealed, "transcripts", "words_sealed", row.transcript.public_id)
    if not told or told == UNREADABLE:
        return ((told, False),) if told else ()
    return marked([(word, confidence) for word, _start, _end, confidence in json.loads(told)], row.transcript.language)


def _danger(office: Office, row: SaidRow) -> tuple[str, ...]:
    if row.code is None or not row.code.danger:
        return ()
    told = _opened(office, row.code.evidence_sealed, "remark_codes", "evidence_sealed", row.code.public_id)
    return tuple(word for kind, word in json.loads(told) if kind == "danger") if told and told != UNREADABLE else ()


def _opened(office: Office, sealed: bytes | None, table: str, column: str, identity: str) -> str:
    """A sealed text; `?` where it cannot be read, so that the rest still shows."""
    try:
        return office.keys.open(sealed, place(table, column, identity)) or ""
    except CannotUnseal:
        return UNREADABLE
