import hashlib
import shutil
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from speech.fetching import CannotFetch, fetch
from speech.installation import NotInstalled, Source, install
from speech.installed import active, takes_phrases
from tests.speech.spoken import MODELS, SOUNDS

TRIAL = (SOUNDS / "not-satisfied-en.wav").read_bytes()


@dataclass
class Publisher:
    """A server of one file that breaks off, forgets ranges or refuses, as it is told."""

    data: bytes
    breaks_after: list[int] = field(default_factory=list)
    knows_ranges: bool = True
    status: int = 0
    asked: list[str] = field(default_factory=list)
    address: str = ""

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        asked = request.headers.get("Range", "")
        self.asked.append(asked)
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and self.knows_ranges else 0
        if self.status or start >= len(self.data):
            request.send_response(self.status or 416)
            request.send_header("Content-Range", f"bytes */{len(self.data)}")
            request.send_header("Content-Length", "0")
            request.end_headers()
            return
        request.send_response(206 if start else 200)
        if start:
            request.send_header("Content-Range", f"bytes {start}-{len(self.data) - 1}/{len(self.data)}")
        request.send_header("Content-Length", str(len(self.data) - start))
        request.end_headers()
        end = start + self.breaks_after.pop(0) if self.breaks_after else len(self.data)
        request.wfile.write(self.data[start:end])


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    told = Publisher(bytes(range(256)) * 4000)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told.answer(self)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        told.address = f"http://127.0.0.1:{server.server_address[1]}/model.zip"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield told
        server.shutdown()


def nothing(*_: object) -> None:
    pass


def put(folder: Path, place: object, sha256: str = "", told: list[str] | None = None) -> Path:
    return install(folder, "en", Source(str(place), sha256), TRIAL, [].append if told is None else told.append, nothing)


def zipped(path: Path, model: Path = MODELS["en"]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(model.rglob("*")):
            archive.write(file, f"my-model/{file.relative_to(model)}")
    return path


@pytest.mark.parametrize("breaks", [[], [1], [311_296, 0, 393_216]], ids=str)
def test_a_download_that_breaks_off_goes_on_where_it_ended(publisher: Publisher, breaks: list[int], tmp_path: Path) -> None:
    publisher.breaks_after = list(breaks)
    seen: list[tuple[int, int]] = []

    found = fetch(publisher.address, tmp_path, lambda done, total: seen.append((done, total)))

    assert found.read_bytes() == publisher.data
    assert len(publisher.asked) == len(breaks) + 1
    assert seen[-1] == (len(publisher.data), len(publisher.data))
    if breaks == [311_296, 0, 393_216]:
        assert publisher.asked[1:] == ["bytes=311296-", "bytes=311296-", "bytes=704512-"]


def test_what_an_earlier_run_left_is_not_loaded_again(publisher: Publisher, tmp_path: Path) -> None:
    publisher.breaks_after = [491_520, 0, 0, 0, 0]
    with pytest.raises(CannotFetch, match="run it again"):
        fetch(publisher.address, tmp_path, nothing)

    assert fetch(publisher.address, tmp_path, nothing).read_bytes() == publisher.data
    assert publisher.asked[-1] == "bytes=491520-"


def test_a_server_without_ranges_sends_everything_again(publisher: Publisher, tmp_path: Path) -> None:
    publisher.breaks_after, publisher.knows_ranges = [500_000], False

    assert fetch(publisher.address, tmp_path, nothing).read_bytes() == publisher.data


def test_a_part_that_is_already_whole_or_too_long_is_noticed(publisher: Publisher, tmp_path: Path) -> None:
    for left in (publisher.data, publisher.data + b"more"):
        (tmp_path / "model.zip.part").write_bytes(left)
        assert fetch(publisher.address, tmp_path, nothing).read_bytes() == publisher.data


def test_a_wrong_address_is_refused_at_once_and_a_tired_server_asked_again(publisher: Publisher, tmp_path: Path) -> None:
    publisher.status = 404
    with pytest.raises(CannotFetch, match="404"):
        fetch(publisher.address, tmp_path, nothing)
    assert len(publisher.asked) == 1

    publisher.status = 503
    with pytest.raises(CannotFetch):
        fetch(publisher.address, tmp_path, nothing)
    assert len(publisher.asked) > 3


def test_a_model_from_folder_archive_and_address_is_put_into_use(publisher: Publisher, tmp_path: Path) -> None:
    archive = zipped(tmp_path / "my-model.zip")
    publisher.data = archive.read_bytes()
    sha256 = hashlib.sha256(publisher.data).hexdigest()
    told: list[str] = []

    placed = [
        put(tmp_path / "models", MODELS["en"]),
        put(tmp_path / "models", archive, sha256, told),
        put(tmp_path / "models", publisher.address, sha256.upper()),
    ]

    assert len(set(placed)) == 3
    assert active(tmp_path / "models") == placed[-1].resolve()
    assert "听到 / heard: not satisfied" in told
    assert takes_phrases(placed[-1])
    left = {path.name for path in (tmp_path / "models").iterdir()} - {".lock", "current", "downloads"}
    assert left == {placed[1].name, placed[2].name}, "the one in use and the one before stay"
    assert list((tmp_path / "models" / "downloads").iterdir()) == []


def test_a_wrong_checksum_is_refused_and_the_spoilt_download_forgotten(publisher: Publisher, tmp_path: Path) -> None:
    with pytest.raises(NotInstalled, match="wrong checksum"):
        put(tmp_path / "models", publisher.address, "0" * 64)

    assert list((tmp_path / "models" / "downloads").iterdir()) == []


def spoilt(tmp_path: Path) -> Path:
    folder = tmp_path / "spoilt"
    shutil.copytree(MODELS["en"], folder)
    (folder / "am" / "final.mdl").write_bytes(b"no model at all")
    return folder


@pytest.mark.parametrize("make", [spoilt, lambda path: path / "nowhere", lambda path: zipped(path / "x.zip", SOUNDS)])
def test_a_model_that_fails_leaves_the_former_one_in_use(make: object, tmp_path: Path) -> None:
    before = put(tmp_path / "models", MODELS["en"])

    with pytest.raises(NotInstalled):
        put(tmp_path / "models", make(tmp_path))  # type: ignore[operator]

    assert active(tmp_path / "models") == before.resolve()
    assert [path.name for path in (tmp_path / "models").glob(".new-*")] == []


def test_two_installations_at_once_do_not_meet(tmp_path: Path) -> None:
    problems: list[str] = []
    placed: list[Path] = []

    def one() -> None:
        try:
            placed.append(put(tmp_path / "models", MODELS["en"]))
        except NotInstalled as problem:
            problems.append(str(problem))

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(placed) + len(problems) == 4
    assert all("another installation" in problem for problem in problems)
    assert active(tmp_path / "models") in {path.resolve() for path in placed}


def test_where_nothing_was_installed_nothing_is_in_use(tmp_path: Path) -> None:
    assert active(tmp_path) is None
    (tmp_path / "current").symlink_to("gone")
    assert active(tmp_path) is None
