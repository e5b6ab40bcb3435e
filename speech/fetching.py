"""A large file over HTTP that may break off at any time and is then continued where it ended."""

import re
from collections.abc import Callable
from pathlib import Path

import requests

Progress = Callable[[int, int], None]
"""Told (bytes there, bytes in all or 0) now and then."""

ATTEMPTS = 4
"""Attempts in a row that bring nothing, before it is given up."""

SILENCE_SECONDS = 30
LARGEST = 4 * 1024**3
_CHUNK = 16 * 1024


class CannotFetch(Exception):
    """The file could not be had; a part of it may stay, to be continued."""


class _Broke(Exception):
    """The connection ended early."""


def fetch(address: str, folder: Path, progress: Progress) -> Path:
    """Load a file into `folder`, going on with what an earlier attempt left. Raises CannotFetch with the remedy."""
    folder.mkdir(parents=True, exist_ok=True)
    name = re.sub(r"[^A-Za-z0-9._-]", "-", address.rpartition("/")[2])[:80].lstrip(".") or "model"
    part = folder / f"{name}.part"
    last: Exception | None = None
    vain = 0
    while vain < ATTEMPTS:
        before = _size(part)
        try:
            _continue(address, part, progress)
        except (requests.RequestException, _Broke) as problem:
            last = problem
            vain = 0 if _size(part) > before else vain + 1
        else:
            whole = folder / name
            part.replace(whole)
            return whole
    zh, en = (
        "下载失败，已下载的部分会保留，可再次运行续传；或在别处下载后用 --from 文件",
        ("could not be loaded; what is there is kept, run it again to go on, or load it elsewhere and give it by --from"),
    )
    raise CannotFetch(f"{address} {zh} / {en} ({type(last).__name__}: {str(last)[-120:]})")


def _continue(address: str, part: Path, progress: Progress) -> None:
    there = _size(part)
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={there}-"} if there else {})
    with requests.get(address, headers=headers, stream=True, timeout=SILENCE_SECONDS) as answer:
        if answer.status_code == requests.codes.requested_range_not_satisfiable and there:
            if _length_of_whole(answer) != there:
                part.unlink()
                raise _Broke("the part that was there does not fit")
            return
        if answer.status_code >= 400:
            raise _refused(address, answer)
        goes_on = answer.status_code == requests.codes.partial_content and _starts_at(answer) == there
        start = there if goes_on else 0
        total = start + int(answer.headers.get("Content-Length") or 0)
        if max(total, _length_of_whole(answer)) > LARGEST:
            raise CannotFetch(f"{address} 超过 {LARGEST >> 30} GB / is larger than {LARGEST >> 30} GB")
        _write(answer, part, start, total, progress)


def _write(answer: requests.Response, part: Path, start: int, total: int, progress: Progress) -> None:
    done = start
    with part.open("r+b" if start else "wb") as sink:
        sink.seek(start)
        sink.truncate()
        for chunk in answer.iter_content(_CHUNK):
            sink.write(chunk)
            done += len(chunk)
            if done > LARGEST:
                raise CannotFetch(f"超过 {LARGEST >> 30} GB / larger than {LARGEST >> 30} GB")
            progress(done, max(total, done) if total > start else 0)
    if total > start and done < total:
        raise _Broke(f"{done} of {total} bytes")


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _refused(address: str, answer: requests.Response) -> Exception:
    if answer.status_code in (408, 425, 429) or answer.status_code >= 500:
        return _Broke(f"HTTP {answer.status_code}")
    return CannotFetch(f"{address}：HTTP {answer.status_code}，请检查地址 / check the address")


def _starts_at(answer: requests.Response) -> int:
    found = re.match(r"bytes (\d+)-", answer.headers.get("Content-Range", ""))
    return int(found[1]) if found else -1


def _length_of_whole(answer: requests.Response) -> int:
    found = re.search(r"/(\d+)$", answer.headers.get("Content-Range", ""))
    return int(found[1]) if found else -1
