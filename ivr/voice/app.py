"""The voice door: one WSGI app, for the carrier alone (design §4.8)."""

from flask import Flask
from werkzeug.routing import BaseConverter

from ivr.voice.guard import lock
from ivr.voice.routes import VoiceServices, apologise, door


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
    lock(app, services.guard)
    app.register_blueprint(door)
    app.register_error_handler(Exception, apologise)
    return app
