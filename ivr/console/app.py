"""The console: door 2, for people. `create_console_app` is all that the outside needs."""

import re
from pathlib import Path

from flask import Flask, request
from flask_wtf.csrf import CSRFProtect
from jinja2 import ChoiceLoader, FileSystemLoader, PrefixLoader
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import BaseConverter, Map

from ivr.console import charts, desk_words, order_words, words
from ivr.console.access import guard, is_allowed, visitor
from ivr.console.account import account
from ivr.console.alarms import alarms, banner
from ivr.console.audit import audit
from ivr.console.bookings import bookings
from ivr.console.bulk import bulk
from ivr.console.callbacks import callbacks
from ivr.console.calls import calls
from ivr.console.campaigns import campaigns
from ivr.console.company import company
from ivr.console.deliveries import deliveries
from ivr.console.demonstration import demonstration, virtual_now
from ivr.console.desk import desk
from ivr.console.errors import handle_errors
from ivr.console.escalations import escalations
from ivr.console.headers import add_headers
from ivr.console.health import health
from ivr.console.hearings import hearings
from ivr.console.home import home
from ivr.console.language import LANGUAGES, current_language, is_english, set_up_languages, zone_name
from ivr.console.ledger import ledger
from ivr.console.live import live, set_up_sockets
from ivr.console.login import login
from ivr.console.navigation import menu
from ivr.console.notices import bell, notices
from ivr.console.order_decisions import order_decisions
from ivr.console.order_documents import order_documents
from ivr.console.order_files import order_files
from ivr.console.order_handling import order_handling
from ivr.console.orders import orders
from ivr.console.register import register
from ivr.console.remarks import remarks
from ivr.console.reports import reports
from ivr.console.reviews import reviews
from ivr.console.services import KEY, ConsoleServices
from ivr.console.suppressions import suppressions
from ivr.console.takeovers import takeovers
from ivr.console.tickets import tickets
from ivr.console.units import units
from ivr.console.uploads import allow_uploads, discard_left
from ivr.console.users import users
from ivr.console.weekly import weekly
from ivr.console.working_calendar import calendar_pages, take_up
from survey.sheet import html as sheet_pages

TEMPLATES = Path(__file__).parent / "templates"
LARGEST_REQUEST = 64 * 1024
POSTED = re.compile(
    r"/(pause|resume|stop|pace|limits|booking|unmask|open|correct|code|review|holds/\d+/lift|(?<=/reviews/)\d+|(?<=/suppressions/)(search|\d+/lift)"
    r"|sign|take-in-hand|answer|(ask|decide)-extension|(decide-)?appeal|return|supervise|close|void|(begin|note)-recall|contact"
    r"|(?<=[0-9a-f]{32}/)attachments|accountability(/[0-9a-f]{32})?|claim|release|note|call-back|merge/[0-9a-f]{32}"
    r"|(?<=/units/)email|(?<=/notices/)read|\d+/again"
    r"|(?<=/calendar/)import|(?<=/register/)(import|entries)"
    r"|(?<=/desk/)duty|claim|decline|deed|answers|wrap-up|person|danger|(answer/)?draft"
    r"|contact|change|disable|enable|renew-password|remove-second-factor|(?<=/account/)(password|telephone|email|second-factor(/confirm)?))$"
)
"""What a form's address adds to that of its page."""
BLUEPRINTS = (
    account, alarms, audit, bookings, bulk, calendar_pages, callbacks, calls, campaigns, company, deliveries, demonstration, desk,
    escalations, health, hearings, home, ledger, live, login, notices, order_decisions, order_documents, order_files, order_handling,
    orders, register, remarks, reports, reviews, suppressions, takeovers, tickets, units, users, weekly,
)  # fmt: skip


class PublicId(BaseConverter):
    """The opaque identity of a record in an address: 32 hexadecimal digits."""

    regex = "[0-9a-f]{32}"


class Month(BaseConverter):
    """A month in an address: 2026-11."""

    regex = r"20\d\d-(?:0[1-9]|1[0-2])"


def create_console_app(services: ConsoleServices) -> Flask:
    """The console as a WSGI app over the given services. Raises ValueError for a secret key shorter than 32 bytes."""
    if len(services.secret_key) < 32:
        raise ValueError("the console's secret key must have at least 32 bytes")
    app = Flask(__name__, static_folder="static", template_folder="templates")
    app.extensions[KEY] = services
    app.config.update(_settings(services))
    _add_converters(app.url_map)
    if services.proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=services.proxies, x_proto=services.proxies)  # type: ignore[method-assign]
    add_headers(app, https=services.https)
    app.before_request(take_up)
    guard(app)
    allow_uploads(app)
    discard_left(services.data)
    CSRFProtect(app)  # type: ignore[no-untyped-call]
    set_up_languages(app)
    handle_errors(app)
    set_up_sockets(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    _furnish_templates(app, services)
    if services.live:
        app.end_lasting = services.live.hub.close  # type: ignore[attr-defined]  # the server calls it before it waits for requests to end
    return app


def _settings(services: ConsoleServices) -> dict[str, object]:
    return {
        "SECRET_KEY": services.secret_key,
        "SESSION_COOKIE_NAME": "__Host-huifang" if services.https else "huifang",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SECURE": services.https,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "MAX_CONTENT_LENGTH": LARGEST_REQUEST,
        "WTF_CSRF_TIME_LIMIT": None,  # a token lives as long as its log-in, which has its own limits
        "BABEL_TRANSLATION_DIRECTORIES": "translations",
    }


def _add_converters(addresses: Map) -> None:
    addresses.converters["public_id"] = PublicId
    addresses.converters["month"] = Month


def _furnish_templates(app: Flask, services: ConsoleServices) -> None:
    """What every template may use: the words, the menu, the visitor, and whether the lines are simulated."""
    own, sheets = FileSystemLoader(TEMPLATES), PrefixLoader({"sheet": FileSystemLoader(sheet_pages.HERE)})
    app.jinja_loader = ChoiceLoader([own, sheets])
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(
        words=words, desk_words=desk_words, order_words=order_words, charts=charts, menu=menu, visitor=visitor, is_allowed=is_allowed,
        languages=LANGUAGES, current_language=current_language, simulated=services.simulated, here=_here, alarm_banner=banner, bell=bell,
        zone_name=zone_name, virtual_now=virtual_now, bureau_name=lambda: _bureau_name(services),
    )  # fmt: skip


def _bureau_name(services: ConsoleServices) -> str:
    bureau = services.office.bureau
    return bureau.name_en if is_english() else bureau.name


def _here() -> str:
    """The address of this page, to come back to; of its page, where the request was a post."""
    if request.method != "GET":
        return request.path if request.endpoint == "login.prove" else POSTED.sub("", request.path)
    return request.full_path.rstrip("?")
