"""The console as a WSGI object: `gunicorn config.console_wsgi:app`. Settings come from the environment and `.env`."""

from config import metrics
from config.cli import open_house

house = open_house()
metrics.begin("console", house.data)
app = house.console_app()
