"""Files that people send: larger than other requests may be where a view says so, kept on disk only while they are read."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from flask import Flask, current_app, request

from ivr.console.services import services
from survey.errors import BadInput

FORM_BYTES = 64 * 1024
"""What a form may hold beside its file."""

View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True)
class Upload:
    """A file that was sent: where it lies for the moment, and what it was called, without its path."""

    path: Path
    name: str


def takes_file(most_bytes: int) -> Callable[[View], View]:
    """Mark a view that takes a file of so many bytes at most."""

    def mark(view: View) -> View:
        view.largest_request = most_bytes + FORM_BYTES  # type: ignore[attr-defined]
        return view

    return mark


def allow_uploads(app: Flask) -> None:
    """Let marked views have larger requests. To be called after the guard: whoever may not send a file is refused before it is read."""

    @app.before_request
    def _allow() -> None:
        view = current_app.view_functions.get(request.endpoint or "")
        request.max_content_length = getattr(view, "largest_request", app.config["MAX_CONTENT_LENGTH"])


@contextmanager
def received(field: str) -> Iterator[Upload]:
    """The file of a form, on disk for the length of the block. Raises BadInput when none was chosen."""
    sent = request.files.get(field)
    if sent is None or not sent.filename:
        raise BadInput("请选择文件 / choose a file", field)
    name = "".join(one for one in sent.filename.replace("\\", "/").split("/")[-1] if one.isprintable())[:255] or "file"
    with tempfile.TemporaryDirectory(prefix="upload-", dir=services().data) as folder:
        path = Path(folder) / "file"
        sent.save(path)
        yield Upload(path, name)
