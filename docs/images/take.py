"""Takes the pictures of READMEs and manuals on a walk through a fresh demonstration in each language: see CONTRIBUTING.md, “Pictures”.

    .venv/bin/python -m docs.images.take

Writes <picture>-<language>.png beside this file, 1366 × 768, takes away those that are not taken any more, and names every picture above
LARGEST_BYTES.
"""

import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

from config.commands.demo import month_before
from tests.walk import english
from tests.walk.demonstration import served
from tests.walk.stage import LOCALES, Stage, launched, opened
from tests.walk.stations import walk

if TYPE_CHECKING:
    from playwright.sync_api import Page, Playwright

HERE = Path(__file__).parent
LARGEST_BYTES = 300_000
PEOPLE = ("--calls", "200", "--speakers", "0.02")
"""Enough that the month's sheet says something; a few speak, so that it is seen."""

PLAY_SECONDS = 3600.0
"""What their month may take on a machine that does much else; it takes about two minutes."""

ONLOOKER = "admin"
PAGES = {
    "home": ("/",),
    "campaign": ("/campaigns", "main a[href^='/campaigns/']"),
    "queue": ("/escalations",),
    "call": ("/escalations", "main a[href^='/calls/']"),
    "sheet": ("/reports", "main a[href^='/reports/']"),
}
"""Picture -> the page it starts from, and the link to follow there, if any: what the month has left, before the walk begins."""


def main() -> int:
    """Take all pictures in both languages; the exit status: 1 when one is too large."""
    with sync_playwright() as playwright:
        taken = [path for language in LOCALES for path in take(playwright, language)]
    for path in set(HERE.glob("*.png")) - set(taken):
        path.unlink()
    large = [path for path in taken if path.stat().st_size > LARGEST_BYTES]
    for path in sorted(taken):
        sys.stdout.write(f"{path.name}\t{path.stat().st_size} bytes{' : too large' if path in large else ''}\n")
    return 1 if large else 0


def take(playwright: "Playwright", language: str) -> Iterator[Path]:
    """Photograph the month, then the walk, in a demonstration of its own."""
    with tempfile.TemporaryDirectory(prefix="huifang-pictures-") as name:
        folder, browser = Path(name), launched(playwright, language)
        demonstrated = served(folder, *options(folder, language), play_seconds=PLAY_SECONDS)
        with demonstrated as demonstration, opened(browser, demonstration, language) as stage:
            for picture, page in chain(month(stage), shown(stage)):
                path = HERE / f"{picture}-{language}.png"
                page.screenshot(path=path)
                yield path
        browser.close()


def options(folder: Path, language: str) -> tuple[str, ...]:
    """Those of `demo`: in English the people, their calls and their units are English too."""
    return PEOPLE if language == "zh" else (*PEOPLE, *english.month(folder, month_before(datetime.now(UTC).date())))


def month(stage: Stage) -> "Iterator[tuple[str, Page]]":
    """The pages of the month that was called."""
    page = stage.part(ONLOOKER)
    for picture, (place, *links) in PAGES.items():
        page.goto(place)
        for link in links:
            page.locator(link).first.click()
        page.wait_for_load_state("networkidle")
        yield picture, page


def shown(stage: Stage) -> "Iterator[tuple[str, Page]]":
    """The stations of the walk that are shown."""
    return ((station.name, page) for station, page in walk(stage) if station.is_pictured)


if __name__ == "__main__":
    sys.exit(main())
