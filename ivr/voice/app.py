"""The voice door: one WSGI app, for the carrier alone (design §4.8)."""

import time

from flask import Flask, Response, g, request
from werkzeug.routing import BaseConverter

from ivr import measures
from ivr.voice import desk, fallback, incoming
from ivr.voice.forgery import Forgeries
from ivr.voice.guard import lock
from ivr.voice.routes import VoiceServices, apologise, door

ELSEWHERE = (desk, fallback, incoming)
"""The modules beside `routes` that hang web-hooks on the door when they are imported."""


class TokenConverter(BaseConverter):
    """An attempt's token in a URL: 32 hexadecimal digits, nothing else reaches the database."""

    regex = "[0-9a-f]{32}"


def create_voice_app(services: VoiceServices) -> Flask:
    """The app, locked by the guard; it never redirects, because a redirected request loses the pressed key."""
    app = Flask("huifang.voice", static_folder=None)
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    app.url_map.converters["token"] = TokenConverter
    app.extensions["voice"] = services
    _measure(app)
    lock(app, services.guard, Forgeries(services.unit_of_work, services.clock).note)
    app.register_blueprint(door)
    app.register_error_handler(Exception, apologise)
    return app


def _measure(app: Flask) -> None:
    """Time every request; those that the guard refuses apart, so that a stranger's knocking hides nothing."""

    @app.before_request
    def _begin() -> None:
        g.began = time.perf_counter()

    @app.after_request
    def _end(response: Response) -> Response:
        route = "refused" if "refused" in g else (request.endpoint or "none").removeprefix("voice.")
        measures.hook_answered(route, time.perf_counter() - g.began)
        return response
