"""Archives from outside, unpacked without trust: whatever they hold, nothing lands elsewhere, and nothing fills the disk."""

import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

MOST_FILES = 2_000
MOST_BYTES = 8 * 1024**3
MOST_RATIO = 200
"""Unpacked bytes for each packed one; models come to less than 5."""

_LONGEST_NAME, _DEEPEST = 240, 12
_CHUNK = 1 << 20
_FEW = 64 << 20
"""Bytes below which no ratio counts: a file of zeros is no bomb yet."""


class Hostile(Exception):
    """The archive is not what it should be; nothing of it is used."""


@dataclass(frozen=True)
class Limits:
    """What an archive may come to."""

    files: int = MOST_FILES
    bytes: int = MOST_BYTES
    ratio: int = MOST_RATIO
    few: int = _FEW


@dataclass(frozen=True)
class Member:
    """One file of an archive: where it goes, how long it says it is, and the archive's own entry."""

    path: PurePosixPath
    size: int
    entry: zipfile.ZipInfo | tarfile.TarInfo


def unpack(archive: Path, into: Path, limits: Limits | None = None) -> None:
    """Unpack a .zip or .tar(.gz, .bz2, .xz) into an empty folder that is made here.

    Only plain files and folders below `into` are accepted, each name once. Raises Hostile; what was written then stays behind.
    """
    within = limits or Limits()
    with _opened(archive) as opened:
        members = _checked(_members(opened), archive.stat().st_size, within)
        into.mkdir(parents=True)
        written = 0
        for member in members:
            written += _write(opened, member, into)
        if written > within.bytes:
            raise Hostile(_too_large(written))


@contextmanager
def _opened(archive: Path) -> Iterator[zipfile.ZipFile | tarfile.TarFile]:
    try:
        with zipfile.ZipFile(archive) if zipfile.is_zipfile(archive) else tarfile.open(archive) as opened:
            yield opened
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as problem:
        raise Hostile(f"{archive.name} 不是完好的压缩包 / is no whole archive: {problem}") from problem
    except OSError as problem:
        if problem.errno is not None:  # the disk's fault, not the archive's
            raise
        raise Hostile(f"{archive.name} 不是完好的压缩包 / is no whole archive: {problem}") from problem


def _members(opened: zipfile.ZipFile | tarfile.TarFile) -> Iterator[Member]:
    if isinstance(opened, zipfile.ZipFile):
        for entry in opened.infolist():
            kind = stat.S_IFMT(entry.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise Hostile(_not_plain(entry.filename))
            if entry.flag_bits & 1:
                raise Hostile(f"{entry.filename!r} 已加密 / is encrypted")
            if not entry.is_dir():
                yield Member(_placed(entry.filename), entry.file_size, entry)
    else:
        for found in opened:
            if not found.isreg() and not found.isdir():
                raise Hostile(_not_plain(found.name))
            place = _placed(found.name)
            if found.isreg():
                yield Member(place, found.size, found)


def _placed(name: str) -> PurePosixPath:
    """A relative path without tricks. Raises Hostile."""
    path = PurePosixPath(name)
    tricks = "\\" in name or ":" in name or any(ord(sign) < 32 for sign in name) or ".." in path.parts or path.is_absolute()
    if tricks or not name or len(name) > _LONGEST_NAME or len(path.parts) > _DEEPEST:
        raise Hostile(f"文件名 {name[:80]!r} 不可接受 / this file name is not acceptable")
    return path


def _checked(members: Iterator[Member], packed: int, limits: Limits) -> list[Member]:
    found: list[Member] = []
    names: set[str] = set()
    total = 0
    for member in members:
        found.append(member)
        total += member.size
        name = str(member.path).casefold()
        if name in names:
            raise Hostile(f"{member.path} 出现两次 / stands there twice")
        names.add(name)
        if len(found) > limits.files:
            raise Hostile(f"文件超过 {limits.files} 个 / more than {limits.files} files")
        if member.size < 0 or total > limits.bytes or (total > limits.few and total > packed * limits.ratio):
            raise Hostile(_too_large(total))
    if not found:
        raise Hostile("压缩包是空的 / the archive is empty")
    if any(str(parent).casefold() in names for member in found for parent in member.path.parents):
        raise Hostile("同一名称既是文件又是文件夹 / a name is a file and a folder at once")
    return found


def _write(opened: zipfile.ZipFile | tarfile.TarFile, member: Member, into: Path) -> int:
    """Copy a member as far as it says it goes. Raises Hostile when it goes further."""
    target = into / member.path
    target.parent.mkdir(parents=True, exist_ok=True)
    with _reading(opened, member) as source, target.open("xb") as sink:
        left = member.size
        while left and (chunk := source.read(min(_CHUNK, left))):
            sink.write(chunk)
            left -= len(chunk)
        if left or source.read(1):
            raise Hostile(f"{member.path} 的长度与所述不符 / is not as long as it says")
    return member.size


def _reading(opened: zipfile.ZipFile | tarfile.TarFile, member: Member) -> IO[bytes]:
    if isinstance(opened, zipfile.ZipFile) and isinstance(member.entry, zipfile.ZipInfo):
        return opened.open(member.entry)
    assert isinstance(opened, tarfile.TarFile)
    assert isinstance(member.entry, tarfile.TarInfo)
    found = opened.extractfile(member.entry)
    if found is None:
        raise Hostile(_not_plain(member.entry.name))
    return found


def copy_folder(source: Path, into: Path, limits: Limits | None = None) -> None:
    """Copy a folder of plain files, under the same rules as an archive. Raises Hostile."""
    within, total = limits or Limits(), 0
    for count, path in enumerate(sorted(source.rglob("*")), 1):
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            raise Hostile(_not_plain(str(path.relative_to(source))))
        total += path.stat().st_size
        if count > within.files or total > within.bytes:
            raise Hostile(_too_large(total))
    shutil.copytree(source, into)


def _not_plain(name: str) -> str:
    return f"{name[:80]!r} 不是普通文件 / is no plain file"


def _too_large(size: int) -> str:
    return f"解压后过大（{size / 1e6:.0f} MB） / too large unpacked"
