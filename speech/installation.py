"""A model put in place: fetched, compared, unpacked, tried in a process of its own, and only then made the one in use.

Below `<folder>/<language>` lie versions, each in a folder of its own, and `current`, a link to the one in use.
"""

import fcntl
import hashlib
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from speech.archives import Hostile, copy_folder, unpack
from speech.audio import NotSound
from speech.fetching import CannotFetch, Progress, fetch
from speech.installed import CURRENT, active, takes_phrases
from speech.transcription import TranscriptionFailed, transcribe

TRIAL_SECONDS, TRIAL_MEMORY = 120.0, 12 * 1024**3
KEPT = 2
"""Versions that stay: the one in use and the one before."""

Tell = Callable[[str], None]


class NotInstalled(Exception):
    """The model was not put in place; the former one is still in use."""


@dataclass(frozen=True)
class Source:
    """Where a model comes from: an address, an archive or a folder, and the archive's SHA-256 where it is known."""

    place: str
    sha256: str = ""


PUBLISHED = {
    "zh": Source(
        "https://alphacephei.com/vosk/models/vosk-model-small-cn-0.22.zip",
        "3af8b0e7e0f835ae9d414ce5df580237a3cfb08d586c9fbbb0f7ff29ad5b14ba",
    ),
    "en": Source("https://alphacephei.com/vosk/models/vosk-model-small-en-us-0.15.zip"),
}
"""The small models of the engine's makers, Apache-2.0; the English archive's checksum is published nowhere that we know of."""


def install(folder: Path, language: str, source: Source, trial: bytes, tell: Tell, progress: Progress) -> Path:
    """Put a model into use below `folder` and return its place; `trial` is a WAV file that it must be able to decode.

    Raises NotInstalled with the reason and the remedy; what was in use before then stays in use.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(folder), _workshop(folder) as shop:
            unpacked = _unpacked(folder, source, shop, tell, progress)
            model = _model_in(unpacked)
            _try(model, language, trial, tell)
            placed = _activate(folder, model, _name_of(source, model, unpacked))
            _clear(folder)
            return placed
    except (Hostile, CannotFetch) as problem:
        raise NotInstalled(str(problem)) from problem
    except OSError as problem:
        raise NotInstalled(f"读写失败：{problem} / reading or writing failed") from problem


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Nobody else installs this language meanwhile; the lock ends with its process, however that ends."""
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise NotInstalled("另一个安装正在进行，请稍候再试 / another installation is going on, try again later") from None
        yield


@contextmanager
def _workshop(folder: Path) -> Iterator[Path]:
    for left in folder.glob(".new-*"):  # by somebody who was killed
        shutil.rmtree(left, ignore_errors=True)
    shop = Path(tempfile.mkdtemp(prefix=".new-", dir=folder))
    try:
        yield shop
    finally:
        shutil.rmtree(shop, ignore_errors=True)


def _unpacked(folder: Path, source: Source, shop: Path, tell: Tell, progress: Progress) -> Path:
    into = shop / "unpacked"
    if re.match(r"https?://", source.place):
        archive = fetch(source.place, folder / "downloads", progress)
    else:
        archive = Path(source.place)
        if archive.is_dir():
            copy_folder(archive, into)
            return into
        if not archive.is_file():
            raise CannotFetch(f"没有文件 {archive} / there is no file {archive}")
    _compare(archive, source, tell)
    tell("解压 / unpacking")
    unpack(archive, into)
    if archive.parent == folder / "downloads":
        archive.unlink(missing_ok=True)
    return into


def _compare(archive: Path, source: Source, tell: Tell) -> None:
    with archive.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if source.sha256 and found != source.sha256.lower():
        if archive.parent.name == "downloads":
            archive.unlink(missing_ok=True)  # else every later attempt would go on with the spoilt file
        zh, en = f"校验和不符：应为 {source.sha256}，实为 {found}", f"wrong checksum, expected {source.sha256}, found {found}"
        raise Hostile(f"{zh} / {en}")
    tell(
        f"SHA-256 {found}" + ("" if source.sha256 else "（无可比对的值，可用 --sha256 给出 / nothing to compare with; give it by --sha256)")
    )


def _model_in(unpacked: Path) -> Path:
    """The folder that holds the model: the one unpacked, or the only one in it."""
    inner = [path for path in unpacked.iterdir() if path.is_dir() and not path.name.startswith((".", "__"))]
    for folder in [unpacked, *(inner if len(inner) == 1 else [])]:
        if (folder / "am" / "final.mdl").is_file() or (folder / "final.mdl").is_file():
            return folder
    raise Hostile("压缩包里没有 Vosk 模型（缺 am/final.mdl） / there is no Vosk model in it: am/final.mdl is missing")


def _try(model: Path, language: str, trial: bytes, tell: Tell) -> None:
    tell("试用 / trying it")
    try:
        heard = transcribe(trial, language, model, TRIAL_SECONDS, TRIAL_MEMORY)
    except (TranscriptionFailed, NotSound) as problem:
        raise NotInstalled(f"试用失败，仍用原来的模型 / the trial failed, the former model stays: {problem}") from problem
    tell(f"听到 / heard: {heard.text or '—'}")
    if not takes_phrases(model):
        zh, en = (
            "这个模型不能限定词语，通话中会听得更慢、更容易听错",
            "this model cannot be told what to expect: slower and less sure in calls",
        )
        tell(f"{zh} / {en}")


def _name_of(source: Source, model: Path, unpacked: Path) -> str:
    named = model.name if model != unpacked else Path(source.place.rstrip("/")).name
    plain = re.sub(r"\.(zip|tar|tar\.gz|tgz|tar\.xz|tar\.bz2)$", "", named)
    return re.sub(r"[^A-Za-z0-9._-]", "-", plain)[:60].lstrip(".-") or "model"


def _activate(folder: Path, model: Path, name: str) -> Path:
    """Move the model to a folder that nobody has and turn the link in one step."""
    placed = Path(tempfile.mkdtemp(prefix=f"{name}.", dir=folder))
    model.rename(placed)  # an empty folder is replaced
    link = folder / ".link"
    link.unlink(missing_ok=True)
    link.symlink_to(placed.name, target_is_directory=True)
    link.replace(folder / CURRENT)
    return placed


def _clear(folder: Path) -> None:
    """Delete versions that are older than the one before."""
    versions = [path for path in folder.iterdir() if path.is_dir() and not path.is_symlink() and not path.name.startswith(".")]
    old = sorted((path for path in versions if path.name != "downloads"), key=lambda path: path.stat().st_ctime, reverse=True)
    for path in old[KEPT:]:
        if path.resolve() != active(folder):
            with suppress(OSError):
                shutil.rmtree(path)
