"""The page of a browser phone: `GET /phone?number=…`, its script and its style. For this machine alone."""

import json
from pathlib import Path

from flask import Blueprint, Response, abort, render_template_string, request, send_from_directory
from flask.typing import ResponseReturnValue

from ivr.carrier.simulator import access
from ivr.carrier.simulator.exchange import Exchange
from ivr.carrier.simulator.phone_door import ADDRESS
from ivr.carrier.simulator.phone_words import WORDS

FILES = Path(__file__).with_name("static")
STATIC = ("phone.js", "phone-sound.js", "phone-microphone.js", "phone.css", "phone.svg")
POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self' {socket}; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"  # noqa: E501


def blueprint(exchange: Exchange) -> Blueprint:
    """`/phone` and its files."""
    routes = Blueprint("phone", __name__)

    @routes.before_request
    def guard() -> None:
        if not access.from_this_machine(request.remote_addr):
            abort(403)

    @routes.get("/phone")
    def page() -> ResponseReturnValue:
        address = exchange.phones.door.address()
        response = Response(_page(address), mimetype="text/html")
        response.headers["Content-Security-Policy"] = POLICY.format(socket=address.rstrip("/"))
        return response

    @routes.get("/<any({}):name>".format(",".join(f"'{name}'" for name in STATIC)))
    def file(name: str) -> ResponseReturnValue:
        return send_from_directory(FILES, name)

    @routes.after_request
    def add_headers(response: Response) -> Response:
        response.headers.update({
            "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "X-Frame-Options": "DENY", "Cache-Control": "no-store",
            "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
        })  # fmt: skip
        return response

    return routes


def _page(address: str) -> str:
    language = request.args.get("lang") or request.accept_languages.best_match(WORDS) or "zh"
    language = language if language in WORDS else "zh"
    wanted = request.args.get("number", "")
    number = ("+" + wanted[1:] if wanted.startswith(" ") else wanted).strip()
    words = WORDS[language]
    return render_template_string(
        (FILES / "phone.html").read_text("utf-8"), words=words, language=language, is_wrong=bool(number) and not ADDRESS.fullmatch(number),
        number=number, address=address, told=json.dumps(words, ensure_ascii=False), keys=_KEYS,
    )  # fmt: skip


_KEYS = (
    ("1", ""), ("2", "ABC"), ("3", "DEF"), ("4", "GHI"), ("5", "JKL"), ("6", "MNO"), ("7", "PQRS"), ("8", "TUV"), ("9", "WXYZ"),
    ("*", ""), ("0", ""), ("#", ""),
)  # fmt: skip
