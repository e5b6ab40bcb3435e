"""Every page of the console in both languages: axe finds nothing (WCAG 2.2 AA), the keyboard reaches everything, nothing is cut off."""

import re
import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from survey import accounts
from survey.store.database import open_engine, session_factory
from survey.store.models import Duty, UserSession
from survey.store.sealing import KeyRing
from tests.conftest import StandingClock
from tests.ivr.console.builders import NOON
from tests.ivr.console.conftest import services_over
from tests.ivr.console.every_page import CHINESE_DATA, EVERYTHING, EXAMPLES, HALF, LATIN, NO_PAGES, NOBODY, Example
from tests.ivr.console.full_house import House, furnished, logged_in, quick_hashes, served
from tests.ivr.console.test_in_browser import WITH_CHROMIUM, browser
from tests.ivr.inspection import SCREEN, STILL, Inspection, inspect

__all__ = ["browser"]
pytestmark = WITH_CHROMIUM
WORD, DIGEST = re.compile(r"[A-Za-z]{2,}"), re.compile(r"\b[0-9a-f]{12,}\b")
LANGUAGES = {"zh": "zh-CN", "en": "en"}
PEOPLE = (*accounts.ROLES, "newcomer", HALF)
SEND = """([action, typed]) => {
  const form = document.querySelector(`form[method=post][action^="${action}"]`);
  Object.entries(typed).forEach(([name, value]) => {
    const found = form.elements[name];
    const field = found || form.appendChild(Object.assign(document.createElement("input"), {type: "hidden", name: name}));
    field.value = value;
  });
  form.noValidate = true;
  form.submit();
}"""
Look = Callable[[Example, str], Inspection]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, sqlite_tables: Path, keys: KeyRing, audit_key: bytes) -> Iterator[House]:
    """One house with everything in it, served for all pages."""
    folder, clock = tmp_path_factory.mktemp("house"), StandingClock(NOON)
    shutil.copy(sqlite_tables, folder / "house.sqlite")
    engine = open_engine(f"sqlite:///{folder / 'house.sqlite'}?synchronous=NORMAL")
    with quick_hashes(), served(furnished(services_over(session_factory(engine), clock, keys, audit_key, folder), clock)) as house:
        yield house
    engine.dispose()


@pytest.fixture(scope="module")
def look(browser, house: House) -> Iterator[Look]:
    """Open an example in a language and inspect it, once however many tests ask."""
    pages = {(role, language): _entered(browser, house, role, language) for role in (*PEOPLE, NOBODY) for language in LANGUAGES}

    @cache
    def looked(example: Example, language: str) -> Inspection:
        page = pages[example.role, language]
        with house.services.sessions.begin() as session:
            _sit_down(session, language)
        answer = page.goto(example.path.format(**house.names))
        if example.form:
            with page.expect_navigation() as navigation:
                page.evaluate(SEND, [example.form.format(**house.names), example.typed])
            answer = navigation.value
        assert answer.status == example.status, f"{example.title} answered {answer.status}: {page.inner_text('body')[:800]}"
        return inspect(page, AXE_SCRIPT, contrast=language == "zh")

    yield looked
    for page in pages.values():
        page.context.close()


def _entered(browser, house: House, role: str, language: str):
    """A browser of its own in which the role has logged in, and on which no page changes by itself."""
    context = browser.new_context(
        viewport=SCREEN,
        locale=LANGUAGES[language],
        base_url=house.address,
        reduced_motion="reduce",  # nothing is still on its way
    )
    context.add_init_script(STILL)
    if role != NOBODY:
        cookie = logged_in(house, role, language).get_cookie("huifang")
        context.add_cookies([{"name": "huifang", "value": cookie.value, "url": house.address}])
    return context.new_page()


def _sit_down(session: Session, language: str) -> None:
    """The desk belongs to the browser that looks (O4)."""
    for duty in session.scalars(select(Duty)):
        newest = select(UserSession.token_digest).where(UserSession.user_id == duty.user_id, UserSession.language == language)
        session.execute(update(Duty).where(Duty.user_id == duty.user_id).values(login=session.scalars(newest).all()[-1]))


def test_every_route_is_an_example_or_no_page_with_a_reason(house: House) -> None:
    routes = {rule.endpoint for rule in house.app.url_map.iter_rules() if "GET" in (rule.methods or ())}

    assert routes == {*EXAMPLES, *NO_PAGES}
    assert not {*EXAMPLES} & {*NO_PAGES}


def test_every_example_is_of_the_route_that_it_stands_for(house: House) -> None:
    adapter = house.app.url_map.bind("localhost")

    for endpoint, examples in EXAMPLES.items():
        for example in examples:
            assert adapter.match(example.path.format(**house.names).partition("?")[0])[0] == endpoint, example.title


over_all = pytest.mark.parametrize("language", LANGUAGES)
every_page = pytest.mark.parametrize("example", EVERYTHING, ids=lambda example: example.title)


@over_all
@every_page
def test_axe_finds_nothing(look: Look, example: Example, language: str) -> None:
    assert look(example, language).violations == ()


@over_all
@every_page
def test_the_tab_key_reaches_everything_in_order_where_it_can_be_seen(look: Look, example: Example, language: str) -> None:
    found = look(example, language)

    assert found.stops == found.expected
    assert found.focus_faults == ()


@over_all
@every_page
def test_nothing_is_wider_than_the_screen_or_scrolls_without_a_key(look: Look, example: Example, language: str) -> None:
    assert look(example, language).too_wide == ()


@over_all
@every_page
def test_the_page_is_in_its_language_alone(look: Look, example: Example, language: str) -> None:
    found = look(example, language)

    assert found.lang == LANGUAGES[language]
    if language == "en":
        assert set(re.findall(r"[\u4e00-\u9fff].*", CHINESE_DATA.sub("", found.written))) == set()
    else:
        assert {word for word in WORD.findall(DIGEST.sub("", found.written)) if word not in LATIN} == set()


def test_the_sheet_to_take_away(browser, house: House) -> None:
    client = logged_in(house, "commander", "en")
    page = browser.new_page(viewport=SCREEN, reduced_motion="reduce")
    page.set_content(client.get("/reports/2026-10/sheet.html").text)

    found = inspect(page, AXE_SCRIPT)
    page.close()
    assert (found.lang, found.violations, found.too_wide) == ("en", (), ())
    assert found.stops == found.expected
