"""Files of others are exactly those that were checked in: checksums are recomputed."""

import hashlib
from pathlib import Path

import pytest

import ivr.console

VENDORED = sorted(Path(ivr.console.__file__).parent.glob("static/vendor/*"))


def test_each_has_its_version_its_licence_and_its_checksums():
    assert [folder.name for folder in VENDORED] == ["bootstrap-5.3.9", "htmx-2.0.11"]
    for folder in VENDORED:
        assert (folder / "LICENSE").is_file()
        assert (folder / "SHA256SUMS").is_file()


@pytest.mark.parametrize("folder", VENDORED, ids=lambda folder: folder.name)
def test_the_checksums_are_those_of_the_files(folder):
    listed = dict(reversed(line.split("  ")) for line in (folder / "SHA256SUMS").read_text().splitlines())

    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir() if path.name != "SHA256SUMS"}

    assert found == listed
