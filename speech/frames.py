"""What a decoding process and the one that feeds it say to each other: frames with a length, a kind and a stream's number."""

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, BinaryIO

from speech.transcript import Word

HEAD = struct.Struct(">IBI")
"""Bytes of the body, kind, number of the stream."""

LARGEST_BODY = 1 << 20
_POSITION = struct.Struct(">I")


class Kind(IntEnum):
    """The first four go to the decoder, the others come from it."""

    OPEN = 1
    SOUND = 2
    CLOSE = 3
    PING = 4
    READY = 11
    OPENED = 12
    REFUSED = 13
    HEARD = 14
    PONG = 15
    BROKEN = 16


class Garbled(ValueError):
    """The other side does not speak in frames."""


@dataclass(frozen=True)
class Frame:
    """One message."""

    kind: Kind
    stream: int = 0
    body: bytes = b""

    def packed(self) -> bytes:
        """Its bytes."""
        return HEAD.pack(len(self.body), self.kind, self.stream) + self.body

    def told(self) -> dict[str, Any]:
        """Its body as JSON."""
        found: dict[str, Any] = json.loads(self.body)
        return found


def said(kind: Kind, stream: int, told: Mapping[str, Any]) -> Frame:
    """A frame whose body is JSON."""
    return Frame(kind, stream, json.dumps(told, ensure_ascii=False).encode())


def head(data: bytes) -> tuple[int, Kind, int]:
    """(bytes of the body, kind, stream) of a frame. Raises Garbled."""
    length, kind, stream = HEAD.unpack(data)
    if length > LARGEST_BODY or kind not in Kind.__members__.values():
        raise Garbled(f"kind {kind}, {length} bytes")
    return length, Kind(kind), stream


def read(stream: BinaryIO) -> Frame | None:
    """The next frame, waiting for it; None at the end. Raises Garbled."""
    start = stream.read(HEAD.size)
    if len(start) < HEAD.size:
        return None
    length, kind, number = head(start)
    body = stream.read(length)
    return Frame(kind, number, body) if len(body) == length else None


def sound(stream: int, position: int, mulaw: bytes) -> Frame:
    """Sound that begins `position` samples after the stream's first."""
    return Frame(Kind.SOUND, stream, _POSITION.pack(position & 0xFFFFFFFF) + mulaw)


def sound_of(frame: Frame) -> tuple[int, bytes]:
    """(position, µ-law bytes) of a frame of sound."""
    return int(_POSITION.unpack_from(frame.body)[0]), frame.body[_POSITION.size :]


def heard(stream: int, told: Mapping[str, Any], mulaw: bytes) -> Frame:
    """An utterance: what is told of it, and its sound."""
    facts = json.dumps(told, ensure_ascii=False).encode()
    return Frame(Kind.HEARD, stream, _POSITION.pack(len(facts)) + facts + mulaw)


def heard_of(frame: Frame) -> tuple[dict[str, Any], bytes]:
    """(what is told, µ-law bytes) of an utterance."""
    (length,) = _POSITION.unpack_from(frame.body)
    facts = frame.body[_POSITION.size : _POSITION.size + length]
    return json.loads(facts), frame.body[_POSITION.size + length :]


def listed(words: tuple[Word, ...], shift: float = 0.0) -> list[list[Any]]:
    """Words as JSON, their times moved by `shift` seconds."""
    return [[word.text, round(word.start + shift, 3), round(word.end + shift, 3), word.confidence] for word in words]


def words_of(listed: list[list[Any]]) -> tuple[Word, ...]:
    """Words from JSON."""
    return tuple(Word(*one) for one in listed)
