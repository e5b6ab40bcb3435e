"""What holds for every answer: headers, error pages, no foreign address, no inline code (RS50, RS65)."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

import ivr.console
from ivr.console.app import create_console_app
from survey.store.models import Campaign, Unit
from tests.conftest import ON_SQLITE_ALONE
from tests.ivr.console.conftest import post

CONSOLE = Path(ivr.console.__file__).parent
STATIC_FILES = [path for path in CONSOLE.glob("static/**/*.*") if path.is_file()]
NOT_LOADED = re.compile(r"/\*.*?\*/|<!--.*?-->|\{#.*?#\}|http://www\.w3\.org/[\w/.]+", re.DOTALL)
FOREIGN = re.compile(r"""(?:https?:)?//[a-z0-9-]+\.[a-z]""", re.IGNORECASE)
ADDRESSES = ("/", "/login", "/nothing", "/campaigns/xyz", "/static/console.css", "/static/missing.css", "/healthz", "/logout")
EVIL = (
    "<script>alert(1)</script>", "<svg onload=alert(1)>", "javascript:alert(1)", "&lt;b&gt;", "{{7*7}}", "\"><img src=x onerror=alert(1)>",
)  # fmt: skip


@ON_SQLITE_ALONE
@pytest.mark.parametrize("address", ADDRESSES)
def test_every_answer_carries_the_headers(app, log_in, address):
    for client in (app.test_client(), log_in("administrator")):
        headers = client.get(address).headers
        policy = headers["Content-Security-Policy"]

        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
        assert all(word in policy for word in ("object-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"))
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert "Strict-Transport-Security" not in headers


def test_strict_transport_is_asked_for_only_over_https(services):
    client = create_console_app(replace(services, https=True)).test_client()

    assert client.get("/login").headers["Strict-Transport-Security"].startswith("max-age=31536000")


def test_pages_are_kept_nowhere_and_vendored_files_for_ever(app):
    client = app.test_client()

    assert client.get("/login").headers["Cache-Control"] == "no-store"
    assert "immutable" in client.get("/static/vendor/htmx-2.0.11/htmx.min.js").headers["Cache-Control"]
    assert client.get("/static/console.js").headers["Cache-Control"] == "no-cache"


def test_a_missing_page_says_so_and_gives_a_number(log_in, open_page):
    page = open_page(log_in("operator"), "/calls/" + "0" * 32, 404)

    assert "页面不存在" in page.text
    assert re.search(r"编号 [0-9A-F]{8}", page.text)


def test_the_number_on_an_error_page_stands_in_the_log(log_in, caplog):
    client = log_in("operator")
    with caplog.at_level("INFO"):
        pages = [client.get(address).text for address in ("/nowhere", f"/orders/{'0' * 32}", "/audit")]

    shown = [re.search(r"<code>([0-9A-F]{8})</code>", page)[1] for page in pages]
    assert shown == [one.reference for one in caplog.records if getattr(one, "action", "") == "console.refused"]


def test_the_error_page_speaks_the_language_of_the_visitor(log_in, open_page):
    assert "No such page" in open_page(log_in("operator", "en"), "/nothing", 404).text


def test_a_forbidden_page_says_whom_to_ask(log_in, open_page):
    assert "请联系管理员" in open_page(log_in("commander"), "/audit", 403).text


def test_an_unexpected_error_shows_a_reference_and_keeps_the_trace_in_the_log(app, log_in, caplog, monkeypatch):
    monkeypatch.setattr("ivr.console.home.console.months", lambda session: 1 / 0)

    answer = log_in("operator").get("/")

    assert answer.status_code == 500
    reference = re.search(r"<code>([0-9A-F]{8})</code>", answer.text)
    assert reference
    assert reference[1] in caplog.text
    assert "ZeroDivisionError" in caplog.text
    assert "Traceback" not in answer.text
    assert "ZeroDivision" not in answer.text


def test_health_is_told_without_a_log_in_and_tells_nothing_else(app):
    answer = app.test_client().get("/healthz")

    assert (answer.status_code, answer.json) == (200, {"status": "ok"})


def test_a_short_secret_key_is_refused(services):
    with pytest.raises(ValueError, match="32 bytes"):
        create_console_app(replace(services, secret_key=b"short"))


def test_a_huge_request_is_refused(app):
    answer = app.test_client().post("/login", data={"name": "x" * 100_000})

    assert answer.status_code in (400, 413)


@ON_SQLITE_ALONE
@pytest.mark.parametrize("evil", EVIL)
def test_text_from_outside_is_shown_as_text_on_all_pages(log_in, open_page, month, sessions, evil):
    with sessions.begin() as session:
        session.query(Unit).update({"name": evil + Unit.name})
        session.query(Campaign).update({"name": evil, "state_reason": evil})
    client = log_in("administrator")

    for address in ("/", "/campaigns", f"/campaigns/{month.campaign}", f"/campaigns/{month.campaign}/calls", "/escalations",
                    f"/calls/{month.dissatisfied}", "/reports/2026-10"):  # fmt: skip
        page = open_page(client, address)
        assert not any("alert(1)" in value for one in page.elements for value in one.attributes.values() if one.name != "button")
        assert not any(one.name in ("img", "b") for one in page.elements)
        assert all(one.attributes.get("src") for one in page.all("script"))


def test_an_evil_name_at_the_log_in_is_shown_as_text(app):
    answer = post(app.test_client(), "/login", name=EVIL[5], password="x")

    assert "<img" not in answer.text


@pytest.mark.parametrize("path", sorted([*CONSOLE.glob("templates/**/*.html"), *STATIC_FILES]), ids=lambda path: path.name)
def test_nothing_names_another_host(path):
    if path.name in ("LICENSE", "SHA256SUMS"):
        pytest.skip("a licence may name its author's site; no browser loads it")

    found = FOREIGN.findall(NOT_LOADED.sub("", path.read_text("utf-8")))

    assert not found
    assert "sourceMappingURL" not in path.read_text("utf-8")


@pytest.mark.parametrize("path", sorted(CONSOLE.glob("templates/**/*.html")), ids=lambda path: path.name)
def test_templates_have_no_inline_code_and_no_unescaped_text(path):
    source = path.read_text("utf-8")

    assert not re.search(r'\sstyle\s*=|\son\w+="|<style|<script(?![^>]*\ssrc=)|javascript:', source)
    assert not re.search(r"\|\s*safe|autoescape|Markup", source)


def test_no_view_builds_its_own_html():
    for path in CONSOLE.glob("*.py"):
        assert "Markup" not in path.read_text("utf-8"), path.name


def test_the_style_needs_no_browser_newer_than_chromium_80():
    source = (CONSOLE / "static/console.css").read_text("utf-8")
    rules = re.findall(r"([^{}]+)\{([^{}]*)\}", source)

    assert not re.search(r"color-mix|:has\(|@layer|oklch|:is\(|:where\(|aspect-ratio|\binset:|&", source)
    assert all("grid" in body for _, body in rules if re.search(r"\bgap:", body)), "flex has no gap before Chromium 84"


def test_the_vendored_style_needs_no_browser_newer_than_chromium_80():
    source = (CONSOLE / "static/vendor/bootstrap-5.3.9/bootstrap.min.css").read_text("utf-8")

    assert not re.search(r"color-mix|:has\(|@layer|oklch", source)
