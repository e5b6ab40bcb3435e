"""Files that people send: larger than other requests may be where a view says so, in memory until somebody wants them on disk.

Nothing that is attached to an order touches a disk in the clear; a table to be imported lies there while it is read.
"""

import fcntl
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, TypeVar

from flask import Flask, Request, current_app, request, url_for

from ivr.console.services import services
from survey.errors import BadInput

PREFIX = "upload-"
FORM_BYTES = 64 * 1024
"""What a form may hold beside its file."""
LARGEST_UPLOAD = 60 * 1024 * 1024
"""Of all files of one form; the web server in front lets a little more pass, so that the refusal is a page of ours."""
MOST_AT_ONCE = 10
"""Files of one form."""

View = TypeVar("View", bound=Callable[..., Any])


class InMemory(Request):
    """A request whose files stay in memory."""

    def _get_file_stream(self, *told: Any, **more: Any) -> BytesIO:
        return BytesIO()


@dataclass(frozen=True)
class Sent:
    """A file that was sent: what is in it, and what it was called, without its path."""

    content: bytes
    name: str


@dataclass(frozen=True)
class Upload:
    """A file that was sent, where it lies for the moment."""

    path: Path
    name: str


def takes_file(most_bytes: int, page: str) -> Callable[[View], View]:
    """Mark a view that takes files of so many bytes together at most; their form stands on the endpoint `page`."""

    def mark(view: View) -> View:
        view.largest_request = most_bytes + FORM_BYTES  # type: ignore[attr-defined]
        view.page_of_form = page  # type: ignore[attr-defined]
        return view

    return mark


def allow_uploads(app: Flask) -> None:
    """Let marked views have larger requests. To be called after the guard: whoever may not send a file is refused before it is read."""
    app.request_class = InMemory

    @app.before_request
    def _allow() -> None:
        view = current_app.view_functions.get(request.endpoint or "")
        request.max_content_length = getattr(view, "largest_request", app.config["MAX_CONTENT_LENGTH"])


@dataclass(frozen=True)
class TooLarge:
    """What a refused view would have taken, in megabytes, and the address of the page with its form."""

    megabytes: int
    back: str


def refused_files() -> TooLarge | None:
    """What to say of a request that was too large; None where its view takes no files."""
    view = current_app.view_functions.get(request.endpoint or "")
    page = getattr(view, "page_of_form", "")
    if not page:
        return None
    most: int = view.largest_request - FORM_BYTES  # type: ignore[union-attr]
    return TooLarge(most // 1024 // 1024, url_for(page, **(request.view_args or {})))


def sent(field: str, most: int) -> list[Sent]:
    """The files of a form; none where none was chosen. Raises BadInput for more than `most`."""
    found = [(one, one.filename) for one in request.files.getlist(field) if one.filename]
    if len(found) > most:
        raise BadInput(f"一次最多 {most} 个文件 / {most} files at a time at most", field)
    return [Sent(file.read(), _plain(name)) for file, name in found]


@contextmanager
def received(field: str) -> Iterator[Upload]:
    """The one file of a form, on disk for the length of the block. Raises BadInput when none was chosen."""
    found = sent(field, 1)
    if not found:
        raise BadInput("请选择文件 / choose a file", field)
    with tempfile.TemporaryDirectory(prefix=PREFIX, dir=services().data) as folder:
        path = Path(folder) / "file"
        with path.open("wb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.write(found[0].content)
            file.flush()
            yield Upload(path, found[0].name)


def discard_left(data: Path) -> None:
    """Remove what killed processes have left of uploads below `data`, tables of people in the clear: nobody holds their lock any more."""
    for path in data.glob(f"{PREFIX}*/file"):
        with suppress(FileNotFoundError, BlockingIOError), path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path.parent)


def _plain(name: str) -> str:
    """A file's name without the folders before it and without what cannot be printed, 255 characters at most."""
    return "".join(one for one in name.replace("\\", "/").split("/")[-1] if one.isprintable())[:255] or "file"
