"""One WebSocket for each open page: it says what has changed, the page fetches that by GET like any other (O3–O7, O33).

The page names its topics in the address, each is authorised like the page that shows it, and a frame is `{"topic": ..., "v": n}`. A
frame without a topic says that the line stands. Beyond the house's share of sockets, and while announcements cannot be heard, a page
is refused (503) and looks by itself every five seconds.
"""

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol
from urllib.parse import urlsplit

from flask import Blueprint, Flask, abort, g, request, session
from flask_babel import gettext as _
from flask_sock import Sock
from simple_websocket.errors import ConnectionClosed
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from ivr import measures
from ivr.console.access import EVERYBODY, actor, is_allowed, present, role
from ivr.console.company import go, stay
from ivr.console.hub import NOT_ALLOWED, TRY_LATER, Seat
from ivr.console.order_access import order_actor, unknown_noted
from ivr.console.services import services
from survey import accounts, casework, desk
from survey.accounts.people import known
from survey.casework import tickets
from survey.errors import NotAllowed, NotFound
from survey.store import topics

log = logging.getLogger(__name__)

live = Blueprint("live", __name__)
socket = Sock()  # type: ignore[no-untyped-call]

BEAT_SECONDS = 2.0
"""How often a frame comes even where nothing changes: a page that has heard none for a little longer than two of them says so (O5)."""

LOOK_SECONDS = 1.0
"""How long a socket whose page has gone may keep its thread."""

CHECK_SECONDS = 2 * BEAT_SECONDS
"""How often the log-in behind an open socket is looked at again: with one look, within the five seconds of RS53."""

PING_SECONDS = 10.0
MOST_TOPICS = 4
LARGEST_MESSAGE = 1024
"""In bytes. A page has nothing to say; whatever it sends is not read."""


class Line(Protocol):
    """The socket as the library hands it over."""

    connected: bool

    def send(self, data: str) -> None:
        """Send a frame. Raises ConnectionClosed, OSError."""
        ...

    def close(self, reason: int) -> None:
        """Close it with a code. Raises ConnectionClosed, OSError."""
        ...


class _Reader(threading.Thread):
    """The library's thread for each socket; it must not keep a process that ends."""

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more, daemon=True)


def set_up_sockets(app: Flask) -> None:
    """Set the manners of every socket of the app."""
    app.config["SOCK_SERVER_OPTIONS"] = {
        "ping_interval": PING_SECONDS, "max_message_size": LARGEST_MESSAGE, "thread_class": _Reader,
    }  # fmt: skip


# ── who may follow what ──────────────────────────────────────────────────────────────────────────────


def _desk(reading: Session, identity: str) -> int:
    return 0


def _call(reading: Session, identity: str) -> int:
    return desk.own_call(reading, identity, known(reading, actor())).id


def _order(reading: Session, identity: str) -> int:
    return casework.found(reading, identity, order_actor()).id


def _ticket(reading: Session, identity: str) -> int:
    return tickets.ticket(reading, identity, order_actor()).id


RULES: Mapping[str, tuple[str, Callable[[Session, str], int]]] = {
    topics.DESK: ("desk.board", _desk),
    topics.CALL: ("desk.state", _call),
    topics.ORDER: ("orders.show", _order),
    topics.TICKET: ("tickets.show", _ticket),
}
"""Kind of topic -> the page whose roles may follow it, and how the row is found, or refused, as that page does."""


def _admitted(words: list[str]) -> dict[str, str]:
    """What the page may follow: topic to its own word for it. Aborts with 400, 403, 404."""
    if not 1 <= len(words) <= MOST_TOPICS:
        abort(400)
    found: dict[str, str] = {}
    with unknown_noted(), services().reads() as reading:
        g.user_id = known(reading, actor()).id
        for word in words:
            kind, _colon, identity = word.partition(":")
            if kind not in RULES or bool(identity) == (kind == topics.DESK):
                raise NotFound("没有这个主题 / there is no such topic")
            endpoint, find = RULES[kind]
            if not is_allowed(endpoint, present().role):
                abort(403)
            found[topics.topic(kind, find(reading, identity)) if identity else kind] = word
    return found


def _is_from_here() -> bool:
    """Whether a page of this console asks: browsers name it in every handshake, and a foreign site would come with our cookie."""
    origin = urlsplit(request.headers.get("Origin", ""))
    schemes = ("https",) if services().https else ("http", "https")
    return origin.scheme in schemes and origin.netloc == request.host


@live.before_request
def _admit() -> tuple[str, int] | None:
    """Everything that may stand against a socket is said before it opens, in the words of HTTP."""
    house = services().live
    if not _is_from_here():  # nobody's deed: a proxy that names another host, at each retry of each page
        measures.socket_refused("origin")
        log.warning("a socket was asked for by a page of another origin", extra={"action": "live.foreign", "host": request.host})
        return _("实时连接暂不可用，页面每 5 秒自行刷新。"), 403
    try:
        g.topics = _admitted(request.args.getlist("topic"))
    except NotAllowed:  # somebody else's call
        abort(403)
    if house is None or not house.hub.is_hearing():
        return _refused("deaf")
    return _refused("full") if house.hub.open >= house.hub.most else None


def _refused(reason: str) -> tuple[str, int]:
    measures.socket_refused(reason)
    return _("实时连接暂不可用，页面每 5 秒自行刷新。"), 503


# ── the socket ───────────────────────────────────────────────────────────────────────────────────────


@socket.route("/live", bp=live)  # type: ignore[untyped-decorator, no-untyped-call]
@role(*EVERYBODY)
def listen(line: Line) -> None:
    """Tell the page what changes, as long as it is open and its visitor logged in."""
    house = services().live
    seat = house.hub.join(g.topics) if house else None
    if house is None or seat is None:  # another page was quicker
        line.close(TRY_LATER)
        return
    try:
        _tell(line, seat)
    except (ConnectionClosed, OSError):  # the page is gone
        return
    finally:
        house.hub.leave(seat)
        for topic in _shared(seat):
            go(topic, g.user_id)


def _shared(seat: Seat) -> list[str]:
    """What people look at together and tell each other so."""
    return [topic for topic in seat.topics if topic.startswith((f"{topics.ORDER}:", f"{topics.TICKET}:"))]


def _tell(line: Line, seat: Seat) -> None:
    beat_at = 0.0
    check_at = time.monotonic() + CHECK_SECONDS
    while line.connected:
        now = time.monotonic()
        if now >= check_at:
            check_at = now + CHECK_SECONDS
            if not _is_still_in():
                seat.end(NOT_ALLOWED)
        news = seat.wait(0 if now >= beat_at else min(LOOK_SECONDS, beat_at - now))
        if seat.ends_with is not None:
            line.close(seat.ends_with)
            return
        for word, version in news.items():
            line.send(json.dumps({"topic": word, "v": version}))
        if not news and now >= beat_at:
            line.send(json.dumps({"topic": "", "v": 0}))
            beat_at = now + BEAT_SECONDS
            for topic in _shared(seat):
                stay(topic, g.user_id)


def _is_still_in() -> bool:
    """Whether the visitor is still logged in; a database that does not answer is no reason to think otherwise."""
    house = services()
    try:
        with house.reads() as reading:
            return accounts.find_session(reading, session.get("token", ""), house.clock.now()) is not None
    except SQLAlchemyError:
        return True
