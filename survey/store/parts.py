"""The files of a backup: counted and digested while they are written, sealed in pieces where a key is given.

A sealed part is `MAGIC ‖ prefix(7) ‖ pieces`, each piece AES-256-GCM of up to 1 MiB. The nonce of a piece is
`prefix ‖ number(4) ‖ is last(1)` and the part's name is authenticated with it: pieces cannot be cut off, moved or exchanged.
"""

import hashlib
import io
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from survey.errors import BadInput

MAGIC = b"huifang sealed part 1\n"
PREFIX_BYTES = 7
PIECE_BYTES = 1 << 20
TAG_BYTES = 16


@dataclass(frozen=True)
class Part:
    """A finished file: its length and the SHA-256 of what lies on the disk."""

    bytes: int
    sha256: str


class PartWriter(io.RawIOBase):
    """A new private file; after `finish` it is on the disk for good."""

    def __init__(self, path: Path, key: bytes | None) -> None:
        super().__init__()
        self._file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
        self._digest, self._count = hashlib.sha256(), 0
        self._cipher, self._name = AESGCM(key) if key else None, path.name.encode()
        self._held, self._number, self._prefix = bytearray(), 0, os.urandom(PREFIX_BYTES)
        if self._cipher:
            self._put(MAGIC + self._prefix)

    def writable(self) -> bool:
        """True."""
        return True

    def write(self, data: "bytes | bytearray | memoryview") -> int:  # type: ignore[override]
        """Take it all."""
        if self._cipher is None:
            self._put(bytes(data))
            return len(data)
        self._held += data
        while len(self._held) > PIECE_BYTES:
            self._seal(bytes(self._held[:PIECE_BYTES]), last=False)
            del self._held[:PIECE_BYTES]
        return len(data)

    def finish(self) -> Part:
        """Write what is left and wait for the disk."""
        if self._cipher:
            self._seal(bytes(self._held), last=True)
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        return Part(self._count, self._digest.hexdigest())

    def _seal(self, piece: bytes, *, last: bool) -> None:
        assert self._cipher
        self._put(self._cipher.encrypt(_nonce(self._prefix, self._number, last), piece, self._name))
        self._number += 1

    def _put(self, data: bytes) -> None:
        self._file.write(data)
        self._digest.update(data)
        self._count += len(data)


class _Opened(io.RawIOBase):
    """What was sealed by a PartWriter."""

    def __init__(self, path: Path, key: bytes) -> None:
        super().__init__()
        self._path, self._file = path, path.open("rb")
        if self._file.read(len(MAGIC)) != MAGIC:
            raise _damaged(path)
        self._cipher, self._prefix, self._number = AESGCM(key), self._file.read(PREFIX_BYTES), 0
        self._ahead: bytes | None = self._file.read(PIECE_BYTES + TAG_BYTES)
        self._plain = b""

    def readable(self) -> bool:
        """True."""
        return True

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]
        """The next bytes in the clear. Raises BadInput."""
        while not self._plain and self._ahead is not None:
            self._plain = self._next(self._ahead)
        count = min(len(buffer), len(self._plain))
        buffer[:count], self._plain = self._plain[:count], self._plain[count:]
        return count

    def _next(self, sealed: bytes) -> bytes:
        following = self._file.read(PIECE_BYTES + TAG_BYTES)
        self._ahead = following or None
        try:
            plain = self._cipher.decrypt(_nonce(self._prefix, self._number, not following), sealed, self._path.name.encode())
        except InvalidTag:
            raise _damaged(self._path) from None
        self._number += 1
        return plain

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()


def _nonce(prefix: bytes, number: int, last: bool) -> bytes:
    return prefix + number.to_bytes(4, "big") + bytes([last])


def _damaged(path: Path) -> BadInput:
    zh, en = "已损坏，或 HUIFANG_BACKUP_KEY 不是当时的密钥", "is damaged, or HUIFANG_BACKUP_KEY is not the key of that day"
    return BadInput(f"{path.name} {zh} / {path.name} {en}")


def open_part(path: Path, key: bytes | None) -> io.BufferedReader:
    """Read a part in the clear. Reading raises BadInput when it was sealed with another key."""
    return io.BufferedReader(_Opened(path, key), PIECE_BYTES) if key else path.open("rb")


def measure(path: Path) -> Part:
    """What a finished file's PartWriter said of it, from the disk."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            digest.update(piece)
    return Part(path.stat().st_size, digest.hexdigest())
