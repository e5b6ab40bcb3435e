"""Text stands out from what it is written on: at least 4.5 to 1 (WCAG 2.1, 1.4.3), computed from the style sheet."""

import re
from pathlib import Path

import pytest

import ivr.console

CSS = re.sub(r"/\*.*?\*/", "", (Path(ivr.console.__file__).parent / "static/console.css").read_text("utf-8"), flags=re.S)
RULES = [(names.strip(), dict(re.findall(r"([\w-]+):\s*([^;]+)", body))) for names, body in re.findall(r"([^{}]+)\{([^{}]*)\}", CSS)]
VARIABLES = {name: value.strip() for names, body in RULES if names == ":root" for name, value in body.items()}
WORDS = {"white": "#ffffff"}
GROUNDS = ("#ffffff", "var(--paper)", "#fafafa")
"""What plain text stands on: a table, the page, the head of a table."""
INKS = ("--blue", "--green", "--red", "--brown", "--grey", "--bs-primary", "--bs-link-color", "--bs-link-hover-color")
ENOUGH, ENOUGH_FOR_A_LINE = 4.5, 3.0


def _colour(value: str) -> str | None:
    """A colour as #rrggbb, or None for what is no plain colour."""
    named = re.fullmatch(r"var\((--[\w-]+)\)", value.strip())
    value = VARIABLES[named[1]] if named else WORDS.get(value.strip(), value.strip())
    if short := re.fullmatch(r"#([0-9a-f])([0-9a-f])([0-9a-f])", value):
        return "#" + "".join(one * 2 for one in short.groups())
    return value if re.fullmatch(r"#[0-9a-f]{6}", value) else None


def _luminance(colour: str) -> float:
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(_colour(one)), _luminance(_colour(other))), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _grounds(names: str, body: dict[str, str]) -> tuple[str, ...]:
    """What the text of a rule stands on: its own background, the header's, or any of the plain ones."""
    own = body.get("background", "")
    if _colour(own):
        return (own,)
    return (dict(RULES)[".top"]["background"],) if names.startswith(".top") else GROUNDS


WRITTEN = [
    (names, body[ink], ground)
    for names, body in RULES
    for ink in ("color", "fill")
    if _colour(body.get(ink, "")) and not names.startswith(".fill-")
    for ground in _grounds(names, body)
]


def test_the_measure_is_that_of_the_guideline():
    assert _contrast("#000000", "#ffffff") == pytest.approx(21)
    assert _contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("ink", INKS)
@pytest.mark.parametrize("ground", GROUNDS)
def test_the_inks_of_the_house_can_be_read_on_every_ground(ink, ground):
    assert _contrast(VARIABLES[ink], ground) >= ENOUGH


@pytest.mark.parametrize(("names", "ink", "ground"), WRITTEN)
def test_the_text_of_every_rule_can_be_read(names, ink, ground):
    assert _contrast(ink, ground) >= ENOUGH


def test_the_tones_of_the_tags_were_all_measured():
    assert {f".tag-{tone}" for tone in ("good", "bad", "busy", "care", "quiet")} <= {names for names, _, _ in WRITTEN}


def test_the_sign_of_the_keyboards_place_can_be_seen():
    rings = {name.strip(): rule for names, rule in RULES for name in names.split(",")}
    on_page = rings[".btn:focus"]["outline"].split()[-1]
    on_header = rings[".top .btn:focus"]["outline-color"]

    assert all(_contrast(on_page, ground) >= ENOUGH_FOR_A_LINE for ground in GROUNDS)
    assert _contrast(on_header, dict(RULES)[".top"]["background"]) >= ENOUGH_FOR_A_LINE
