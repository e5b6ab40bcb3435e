"""Chinese first, English complete: every word translated, none fuzzy, the compiled catalog is that of the source."""

import re
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

import ivr.console
from tests.conftest import ON_SQLITE_ALONE
from tests.ivr.console.conftest import post

CONSOLE = Path(ivr.console.__file__).parent
CATALOG = CONSOLE / "translations/en/LC_MESSAGES/messages.po"
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2")]
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "_l": None, "lazy_gettext": None}
NAMES = re.compile(r"城东派出所|城西派出所|高新区派出所|测试[a-z]+|城南派出所|2026年10月回访|警情回访|邻里纠纷|纠纷|报\*\*|民\*\*|中文")
"""What data and the language switch may say in Chinese on an English page."""


def _in_sources() -> set[object]:
    options = {"templates/**.html": {"trimmed": "true"}}
    return {message for _, _, message, _, _ in extract_from_dir(CONSOLE, METHODS, options, KEYWORDS)}


def _catalog():
    return read_po(BytesIO(CATALOG.read_bytes()), locale="en")


def test_every_word_of_the_sources_is_in_the_english_catalog_and_no_other():
    assert {message.id for message in _catalog() if message.id} == _in_sources()


def test_no_word_is_untranslated_or_fuzzy():
    for message in _catalog():
        words = message.string if isinstance(message.string, tuple) else (message.string,)
        assert all(words), message.id
        assert not message.fuzzy or not message.id, message.id


def test_no_english_word_holds_chinese():
    for message in _catalog():
        if message.id:
            assert not re.search(r"[\u4e00-\u9fff]", str(message.string)), message.string


def test_the_placeholders_are_the_same_in_both_languages():
    for message in _catalog():
        if message.id and not isinstance(message.id, tuple):
            assert sorted(re.findall(r"%\(\w+\)s", message.id)) == sorted(re.findall(r"%\(\w+\)s", str(message.string))), message.id


def test_the_compiled_catalog_is_that_of_the_source():
    with CATALOG.with_suffix(".mo").open("rb") as file:
        compiled = {str(message.id): list(message.string) for message in read_mo(file) if message.id}

    assert compiled == {str(list(one.id) if isinstance(one.id, tuple) else one.id): list(one.string) for one in _catalog() if one.id}


PAGES = (
    "/", "/alarms", "/campaigns", "/campaigns/{campaign}", "/campaigns/{campaign}/calls", "/calls/{dissatisfied}", "/escalations",
    "/escalations?tab=closed", "/remarks", "/hearings", "/hearings/review",
    "/suppressions", "/suppressions?tab=lifted", "/audit", "/audit/check", "/reports", "/calendar", "/register", "/ledger?month=2026-10",
    "/users", "/users/unit", "/units", "/account",
)  # fmt: skip


@ON_SQLITE_ALONE
@pytest.mark.parametrize("address", PAGES)
def test_english_pages_hold_no_chinese_but_names(log_in, open_page, month, address):
    page = open_page(log_in("administrator", "en"), address.format(campaign=month.campaign, dissatisfied=month.dissatisfied))

    rest = NAMES.sub("", page.text)
    assert not re.findall(r"[\u4e00-\u9fff]+", rest)
    assert page.one("html").attributes["lang"] == "en"


def test_an_unknown_language_of_the_browser_becomes_chinese(app):
    answer = app.test_client().get("/login", headers={"Accept-Language": "fr"})

    assert "登录回访控制台" in answer.text


def test_the_switch_holds_for_the_visitor_and_comes_back_to_the_page(log_in, open_page, month):
    client = log_in("operator")

    answer = post(client, "/language", language="en", next="/escalations?tab=today&sort=due")

    assert answer.headers["Location"] == "/escalations?tab=today&sort=due"
    assert "Human queue" in open_page(client, "/escalations").text


def test_the_switch_works_before_the_log_in(app):
    client = app.test_client()
    post(client, "/language", language="en", next="/login")

    assert "Log in to the Huifang console" in client.get("/login").text


def test_a_language_that_we_do_not_speak_is_refused(app):
    assert post(app.test_client(), "/language", language="xx").status_code == 400


def test_dates_take_the_form_of_the_language(log_in, open_page, month):
    assert "11月23日 周一" in open_page(log_in("operator"), "/escalations").text
    assert "Mon 23 Nov" in open_page(log_in("operator", "en"), "/escalations").text
