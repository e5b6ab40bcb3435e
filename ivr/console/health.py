"""Whether this process can serve: asked by the supervisor and by load balancers, without a log-in."""

from flask import Blueprint
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from ivr.console.services import services

health = Blueprint("health", __name__)


@health.get("/healthz")
def healthz() -> tuple[dict[str, str], int]:
    """200 while the database answers, 503 otherwise; tells nothing more."""
    try:
        with services().reads() as reading:
            reading.execute(text("SELECT 1"))
    except SQLAlchemyError:
        return {"status": "database unavailable"}, 503
    return {"status": "ok"}, 200
