"""What the console tells machines, put together: readiness, metrics, and when the clock process was last seen."""

from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from config import backup_age, gauges, metrics
from config.clock import SystemClock
from config.gauges import Look
from config.readiness import Readiness
from config.sweep import LEASE
from config.wiring import House
from ivr.console.services import Live, Operations
from survey.store.database import reading, session_factory
from survey.store.queries import operations as queries


def operations(house: House, live: Live | None = None) -> Operations:
    """What machines may ask of this house's console; `live` tells how many sockets are open in this process."""
    reads = session_factory(reading(house.console_engine))
    url = make_url(house.settings.database_url)
    database = Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None

    def look() -> Look:
        sockets = (live.hub.open, live.hub.most) if live else None
        with reads() as session:
            return gauges.look(session, house.clock.now(), SystemClock().now(), LEASE, database, backup_age.newest(house.settings), sockets)

    def sweep_age() -> float | None:
        try:
            with reads() as session:
                return gauges.sweep_age(queries.sweep_until(session), LEASE, SystemClock().now())
        except SQLAlchemyError:
            return None

    return Operations(Readiness(house), lambda: metrics.exposition(house.data, look), sweep_age, house.settings.operations_token)
