"""A program of its own around eSpeak NG (GPL-3): reads requests from stdin, writes sound to stdout. Nothing of ours is imported here.

A request is one line of JSON: text, voice (as `cmn+f2`), speed (words a minute), pitch (0 to 99). The reply is two whole
numbers of four bytes, little-endian (samples a second, bytes that follow), then samples of 16 bits, one channel; 0 bytes: it failed.
"""

import ctypes
import json
import struct
import sys
from typing import Any, BinaryIO

import espeakng_loader  # type: ignore[import-untyped]

SYNCHRONOUS, UTF8, RATE, PITCH = 2, 1, 1, 3
HEADER = struct.Struct("<II")
_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


class Voice:
    """The library, loaded once. Raises OSError when it cannot be."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        self._pieces: list[bytes] = []
        self.rate = self._library.espeak_Initialize(SYNCHRONOUS, 0, espeakng_loader.get_data_path().encode(), 0)
        if self.rate <= 0:
            raise OSError("eSpeak NG does not start")
        self._keep = _CALLBACK(self._take)  # the library holds no reference of its own
        self._library.espeak_SetSynthCallback(self._keep)

    def say(self, text: str, voice: str, speed: int, pitch: int) -> bytes:
        """Samples of 16 bits; empty when the voice is not there."""
        self._pieces.clear()
        if self._library.espeak_SetVoiceByName(voice.encode()) != 0:
            return b""
        self._library.espeak_SetParameter(RATE, speed, 0)
        self._library.espeak_SetParameter(PITCH, pitch, 0)
        self._library.espeak_ng_SetRandSeed(ctypes.c_long(1))  # the breath of a voice is noise, sown by the clock unless told otherwise
        words = text.encode() + b"\0"
        self._library.espeak_Synth(words, len(words), 0, 1, 0, UTF8, None, None)
        self._library.espeak_Synchronize()
        return b"".join(self._pieces)

    def _take(self, samples: Any, count: int, _: object) -> int:
        if samples and count > 0:
            self._pieces.append(ctypes.string_at(samples, count * 2))
        return 0


def serve(requests: BinaryIO, replies: BinaryIO) -> None:
    """Answer requests until there are no more."""
    voice = Voice()
    for line in requests:
        wish = json.loads(line)
        sound = voice.say(str(wish["text"]), str(wish["voice"]), int(wish["speed"]), int(wish["pitch"]))
        replies.write(HEADER.pack(voice.rate, len(sound)) + sound)
        replies.flush()


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)
