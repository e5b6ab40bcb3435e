import io
import os
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from speech.archives import Hostile, Limits, copy_folder, unpack

SMALL = Limits(files=20, bytes=1_000_000, ratio=20, few=100_000)


def zipped(path: Path, files: dict[str, bytes], change: Callable[[zipfile.ZipInfo], None] = lambda _: None) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo("x")
            info.filename = name  # as it is: the library would tidy it
            info.compress_type = zipfile.ZIP_DEFLATED
            change(info)
            archive.writestr(info, data)
    return path


def tarred(path: Path, *entries: tuple[str, bytes, bytes], link: str = "") -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, kind, data in entries:
            info = tarfile.TarInfo(name)
            info.type, info.size, info.linkname = kind, len(data), link
            archive.addfile(info, io.BytesIO(data))
    return path


def all_below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_plain_archives_are_unpacked(tmp_path: Path) -> None:
    unpack(zipped(tmp_path / "a.zip", {"m/am/final.mdl": b"1", "m/conf/mfcc.conf": b"22", "m/": b""}), tmp_path / "zip", SMALL)
    unpack(tarred(tmp_path / "a.tar.gz", ("m", tarfile.DIRTYPE, b""), ("m/am/final.mdl", tarfile.REGTYPE, b"1")), tmp_path / "tar", SMALL)

    assert all_below(tmp_path / "zip") == {"m/am/final.mdl", "m/conf/mfcc.conf"}
    assert (tmp_path / "tar/m/am/final.mdl").read_bytes() == b"1"


EVIL = ["../out", "/etc/out", "a/../../out", "..\\out", "C:out", "a\nb", "", "a/" * 40 + "x", "n" * 300]


@pytest.mark.parametrize("name", [name for name in EVIL if name])
def test_names_that_lead_elsewhere_are_refused_in_zips(name: str, tmp_path: Path) -> None:
    with pytest.raises(Hostile):
        unpack(zipped(tmp_path / "a.zip", {"good": b"1", name: b"evil"}), tmp_path / "in" / "to", SMALL)
    assert {path.name for path in tmp_path.iterdir()} <= {"a.zip", "in"}


@pytest.mark.parametrize("name", [name for name in EVIL if name])
def test_names_that_lead_elsewhere_are_refused_in_tars(name: str, tmp_path: Path) -> None:
    with pytest.raises(Hostile):
        unpack(tarred(tmp_path / "a.tar.gz", (name, tarfile.REGTYPE, b"evil")), tmp_path / "in" / "to", SMALL)
    assert {path.name for path in tmp_path.iterdir()} <= {"a.tar.gz", "in"}


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_are_refused_in_tars(kind: bytes, tmp_path: Path) -> None:
    archive = tarred(tmp_path / "a.tar.gz", ("m/link", kind, b""), ("m/link/passwd", tarfile.REGTYPE, b"evil"), link="/etc")

    with pytest.raises(Hostile, match="no plain file"):
        unpack(archive, tmp_path / "to", SMALL)


@pytest.mark.parametrize("mode", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK])
def test_links_and_devices_are_refused_in_zips(mode: int, tmp_path: Path) -> None:
    def change(info: zipfile.ZipInfo) -> None:
        info.external_attr = (mode | 0o777) << 16

    with pytest.raises(Hostile, match="no plain file"):
        unpack(zipped(tmp_path / "a.zip", {"link": b"/etc"}, change), tmp_path / "to", SMALL)


def test_bombs_are_refused_before_they_go_off(tmp_path: Path) -> None:
    for name, files in {
        "large": {"zeros": bytes(2_000_000)},
        "dense": {"zeros": bytes(900_000)},
        "many": {str(number): b"" for number in range(21)},
    }.items():
        with pytest.raises(Hostile):
            unpack(zipped(tmp_path / f"{name}.zip", files), tmp_path / name, SMALL)
        assert not (tmp_path / name).exists()


def test_a_file_that_is_longer_than_it_says_is_refused(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "a.zip", {"zeros": bytes(50_000)})
    lie = archive.read_bytes().replace((50_000).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    archive.write_bytes(lie)

    with pytest.raises(Hostile):
        unpack(archive, tmp_path / "to", SMALL)


@pytest.mark.parametrize("names", [("a", "a"), ("a", "A"), ("a", "a/b"), ("a/b", "./a")])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_stands_for_two_things_is_refused(names: tuple[str, str], tmp_path: Path) -> None:
    with pytest.raises(Hostile):
        unpack(tarred(tmp_path / "a.tar.gz", *((name, tarfile.REGTYPE, b"x") for name in names)), tmp_path / "to", SMALL)


@pytest.mark.parametrize("data", [b"", b"abc", b"PK\x03\x04" + b"\0" * 40, b"PK\x05\x06" + b"\0" * 18, b"\x1f\x8b\x08" + b"\0" * 30])
def test_what_is_no_archive_is_refused(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(data)

    with pytest.raises(Hostile):
        unpack(tmp_path / "a.zip", tmp_path / "to", SMALL)


def test_a_broken_archive_is_refused_wherever_it_is_cut(tmp_path: Path) -> None:
    for make, whole in (
        ("zip", zipped(tmp_path / "whole.zip", {f"{n}": os.urandom(3000) for n in range(3)})),
        ("tar", tarred(tmp_path / "whole.tar.gz", *((f"{n}", tarfile.REGTYPE, os.urandom(3000)) for n in range(3)))),
    ):
        data = whole.read_bytes()
        for cut in range(0, len(data) - 200, 997):
            (tmp_path / f"cut-{make}-{cut}").write_bytes(data[:cut])
            with pytest.raises(Hostile):
                unpack(tmp_path / f"cut-{make}-{cut}", tmp_path / f"{make}-{cut}", SMALL)


def test_a_folder_is_copied_without_links(tmp_path: Path) -> None:
    (tmp_path / "m" / "am").mkdir(parents=True)
    (tmp_path / "m" / "am" / "final.mdl").write_bytes(b"1")
    copy_folder(tmp_path / "m", tmp_path / "copy", SMALL)
    assert all_below(tmp_path / "copy") == {"am/final.mdl"}

    (tmp_path / "m" / "link").symlink_to("/etc")
    with pytest.raises(Hostile):
        copy_folder(tmp_path / "m", tmp_path / "again", SMALL)
