"""The sheet as HTML: a fragment for the console, and a page of its own that loads nothing and prints on A4 landscape."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from survey.report import Sheet
from survey.sheet.layout import blocks, marks, title
from survey.sheet.text import show

HERE = Path(__file__).parent
_PAGES = Environment(
    loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, auto_reload=False
)


def fragment(sheet: Sheet, language: str = "zh") -> str:
    """The sheet's headings and tables, without style: class names begin with `sheet`."""
    return _render("fragment.html", sheet, language)


def render(sheet: Sheet, language: str = "zh") -> str:
    """The sheet as a whole document with its style inside; no other address is loaded."""
    return _render("page.html", sheet, language, style=style())


def style() -> str:
    """The style sheet for `fragment`, with the rules for print."""
    return (HERE / "sheet.css").read_text("utf-8")


def _render(template: str, sheet: Sheet, language: str, **more: str) -> str:
    values = {"title": title(sheet, language), "marks": marks(sheet, language), "blocks": blocks(sheet, language)}
    return _PAGES.get_template(template).render(**values, language=language, show=show, **more)
