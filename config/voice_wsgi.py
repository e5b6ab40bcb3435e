"""The voice door as a WSGI object: `gunicorn config.voice_wsgi:app`. Settings come from the environment and `.env`."""

from config.cli import open_house

app = open_house().voice_app()
