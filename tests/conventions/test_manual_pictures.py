"""The pictures of READMEs and manuals: each is there, each is shown, and both languages show the same at the same steps."""

import importlib
import re
from pathlib import Path

import pytest

from tests.conventions.sources import ROOT
from tests.conventions.test_docs import LINK
from tests.conventions.test_manuals import shape

PAIRS = {
    "README": ("README.zh-CN.md", "README.md"),
    "desk": ("docs/值班员手册.md", "docs/operators.md"),
    "units": ("docs/责任单位手册.md", "docs/units.md"),
}
LANGUAGES = ("zh", "en")
MANUALS = ("desk", "units")
PICTURES = ROOT / "docs" / "images"
PICTURE = re.compile(r"images/([a-z-]+)-(zh|en)\.png")


def pictures(text: str) -> list[tuple[str, str]]:
    """Name and language of the pictures of our own that a text shows, in order."""
    return [(found[1], found[2]) for target in LINK.findall(text) if (found := PICTURE.search(target))]


def steps(text: str) -> list[str]:
    """What both languages of a manual share, in order: headings, steps by number, points, rows, pictures."""
    kept = []
    for line in text.splitlines():
        if found := pictures(line):
            kept += [f"picture {name}" for name, _ in found]
        elif step := re.match(r"(\d+)\. |(- )|(#+) |(\| )", line):
            kept.append(step[0].strip())
    return kept


def read(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def shown() -> set[tuple[str, str]]:
    return {found for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")) for found in pictures(path.read_text("utf-8"))}


def test_every_picture_that_is_kept_is_shown_and_every_one_shown_is_kept() -> None:
    kept = {(path.stem.rpartition("-")[0], path.stem.rpartition("-")[2]) for path in PICTURES.glob("*.png")}

    assert kept == shown()


def test_every_station_that_is_pictured_is_shown_in_both_languages() -> None:
    pytest.importorskip("playwright.sync_api", reason="playwright is not installed (requirements-dev.txt): the walk cannot be read")
    stations = importlib.import_module("tests.walk.stations").STATIONS
    wanted = {(station.name, language) for station in stations if station.is_pictured for language in LANGUAGES}

    assert wanted - shown() == set()


@pytest.mark.parametrize("pair", PAIRS)
def test_both_languages_show_the_same_pictures_each_in_its_own(pair: str) -> None:
    found = [pictures(read(name)) for name in PAIRS[pair]]

    assert [name for name, _ in found[0]] == [name for name, _ in found[1]]
    assert [{language for _, language in each} for each in found] == [{language} for language in LANGUAGES]


@pytest.mark.parametrize("pair", MANUALS)
def test_both_languages_of_a_manual_have_the_same_steps_and_tables(pair: str) -> None:
    chinese, english = PAIRS[pair]

    assert steps(read(chinese)) == steps(read(english))
    assert shape(ROOT / chinese) == shape(ROOT / english)


def test_a_step_or_picture_that_one_language_lacks_is_found() -> None:
    text = read("docs/units.md")

    assert steps(text) != steps(text.replace("3. **Reply**", "**Reply**"))
    assert steps(text) != steps(re.sub(r"!\[.*order-reply-en.png\)", "", text))
    assert ("order-reply", "en") in pictures(text)


def test_every_picture_has_words_for_those_who_do_not_see_it() -> None:
    texts = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]

    assert [str(path) for path in texts if _is_silent(path)] == []


def _is_silent(path: Path) -> bool:
    return re.search(r"!\[\s*\]\(", path.read_text("utf-8")) is not None
