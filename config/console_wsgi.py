"""The console as a WSGI object: `gunicorn config.console_wsgi:app`. Settings come from the environment and `.env`."""

from config.cli import open_house

app = open_house().console_app()
