"""Encryption at rest for personal data, and the keyed hash by which numbers are found (design §4.10).

A sealed value is `algorithm(1) ‖ length(1) ‖ key id ‖ nonce(12) ‖ AES-256-GCM ciphertext`. Its place
(`table.column:public_id`) is authenticated with it: a value moved to another column or row does not open.
"""

import base64
import hashlib
import hmac
import os
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from survey.errors import BadInput, CannotUnseal

AES_256_GCM = 1
NONCE_BYTES = 12
INDEX = "index"


@dataclass(frozen=True)
class KeyRing:
    """The keys in force: `current` seals, all of `keys` open, `index_key` hashes numbers (it never rotates)."""

    current: str
    keys: Mapping[str, AESGCM]
    index_key: bytes

    @classmethod
    def parse(cls, text: str) -> "KeyRing":
        """Read `index:<base64>,<id>:<base64>[,<older id>:<base64>...]`; the first id after `index` seals.

        Raises BadInput when a key is missing or is not 32 bytes long.
        """
        keys = {}
        for part in filter(None, (piece.strip() for piece in text.split(","))):
            name, _, value = part.partition(":")
            try:
                key = base64.b64decode(value, validate=True)
            except ValueError:
                key = b""
            if not name or len(key) != 32:
                raise BadInput(f"key “{name}” must be 32 bytes in base64, written id:base64")
            keys[name] = key
        index_key = keys.pop(INDEX, None)
        if index_key is None or not keys:
            raise BadInput("needs the key “index” and at least one sealing key")
        return cls(next(iter(keys)), {name: AESGCM(key) for name, key in keys.items()}, index_key)

    @staticmethod
    def generate() -> str:
        """A fresh ring in the form `parse` reads."""
        fresh = [base64.b64encode(os.urandom(32)).decode() for _ in range(2)]
        return f"{INDEX}:{fresh[0]},k1:{fresh[1]}"

    def seal_bytes(self, plain: bytes, place: str) -> bytes:
        """Encrypt with the current key, bound to `place`."""
        name = self.current.encode()
        nonce = os.urandom(NONCE_BYTES)
        return bytes((AES_256_GCM, len(name))) + name + nonce + self.keys[self.current].encrypt(nonce, plain, place.encode())

    def open_bytes(self, sealed: bytes, place: str) -> bytes:
        """Decrypt what `seal_bytes` made for the same place. Raises CannotUnseal, naming the key id."""
        if len(sealed) < 2 + NONCE_BYTES or sealed[0] != AES_256_GCM:
            raise CannotUnseal(f"{place}: not a sealed value of this program")
        start = 2 + sealed[1]
        name = sealed[2:start].decode(errors="replace")
        if name not in self.keys:
            raise CannotUnseal(f"{place}: key “{name}” is not in the key ring")
        nonce, ciphertext = sealed[start : start + NONCE_BYTES], sealed[start + NONCE_BYTES :]
        try:
            return self.keys[name].decrypt(nonce, ciphertext, place.encode())
        except InvalidTag:
            raise CannotUnseal(f"{place}: altered, moved, or sealed with another key “{name}”") from None

    def seal(self, text: str | None, place: str) -> bytes | None:
        """Encrypt a text; None stays None."""
        return None if text is None else self.seal_bytes(text.encode(), place)

    def open(self, sealed: bytes | None, place: str) -> str | None:
        """Decrypt a text; None stays None. Raises CannotUnseal."""
        return None if sealed is None else self.open_bytes(sealed, place).decode()

    def phone_key(self, e164: str) -> bytes:
        """The 16-byte blind index of a number in E.164: HMAC-SHA-256, cut. Equal numbers, equal keys."""
        return hmac.new(self.index_key, b"phone|" + e164.encode(), hashlib.sha256).digest()[:16]


def key_of(sealed: bytes) -> str:
    """The id of the key that sealed a value. Raises CannotUnseal when it is none of this program's."""
    if len(sealed) < 2 + NONCE_BYTES or sealed[0] != AES_256_GCM:
        raise CannotUnseal("not a sealed value of this program")
    return sealed[2 : 2 + sealed[1]].decode(errors="replace")


def place(table: str, column: str, public_id: str) -> str:
    """The place a sealed value is bound to."""
    return f"{table}.{column}:{public_id}"
