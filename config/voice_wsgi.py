"""The voice door as a WSGI object: `gunicorn config.voice_wsgi:app`. Settings come from the environment and `.env`."""

from config import metrics
from config.cli import open_house

house = open_house()
metrics.begin("voice", house.data)
app = house.voice_app()
