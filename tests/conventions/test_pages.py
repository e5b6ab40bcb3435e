"""No page loads anything from another host (design §4.12)."""

import re

from tests.conventions.sources import ROOT

FOLDERS = ("ivr/console/templates", "ivr/console/static", "ivr/carrier/simulator/static", "survey/sheet")
LOADING = re.compile(
    r"""(?:\b(?:src|href|action|data|poster)\s*=\s*["']?|url\(\s*["']?|@import\s+["']?|\bfetch\(\s*["'])\s*(?:https?:)?//[^\s"')]+""", re.I
)


def outside(text: str) -> list[str]:
    """Addresses in a text that a browser would load from another host."""
    return LOADING.findall(text)


def test_no_page_loads_from_another_host() -> None:
    pages = [
        path
        for folder in FOLDERS
        for path in sorted((ROOT / folder).rglob("*"))
        if path.suffix in {".html", ".css", ".js", ".svg", ".jinja"}
    ]

    assert pages
    assert [str(path.relative_to(ROOT)) for path in pages if outside(path.read_text("utf-8"))] == []


def test_the_check_finds_planted_addresses() -> None:
    for text in ('<script src="https://x.org/a.js">', "<link href='//x.org/a.css'>", "url(http://x.org/f.woff)", '@import "https://x.org"'):
        assert outside(text), text
    for text in ('<a href="/calls">', "url(data:image/png;base64,AA)", "xmlns='http://www.w3.org/2000/svg'"):
        assert not outside(text), text
