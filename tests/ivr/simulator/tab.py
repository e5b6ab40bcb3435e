"""A page of a browser phone, without the browser: what it is told is kept, what it does is said in words."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import quote

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from ivr.carrier.simulator.exchange import Exchange

PATIENCE = 10.0


@dataclass
class Tab:
    """One connection. `sounds` are the messages of sound, first byte included."""

    connection: ClientConnection
    told: list[dict] = field(default_factory=list)
    sounds: list[bytes] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)

    @property
    def call(self) -> dict:
        """The call as the page shows it now."""
        return next((message["call"] or {} for message in reversed(self.told) if message["event"] == "state"), {})

    @property
    def words(self) -> list[str]:
        """What its person was told."""
        return [line["text"] for line in self.call.get("lines", []) if line["by"] == "line"]

    def do(self, wish: str, **more: str) -> None:
        """Let its person do something."""
        self.connection.send(json.dumps({"do": wish, **more}))

    def until(self, is_so: Callable[["Tab"], object]) -> None:
        """Wait until it is so."""
        with self.changed:
            assert self.changed.wait_for(lambda: is_so(self), PATIENCE), self.told[-3:]

    def until_phase(self, phase: str) -> None:
        """Wait until its call has come so far."""
        self.until(lambda tab: tab.call.get("phase") == phase)

    def listen(self) -> None:
        """Keep what comes, until the connection ends."""
        try:
            for message in self.connection:
                with self.changed:
                    self.sounds.append(message) if isinstance(message, bytes) else self.told.append(json.loads(message))
                    self.changed.notify_all()
        except ConnectionClosed:
            return


@contextmanager
def opened(exchange: Exchange, number: str, origin: str | None = None) -> Iterator[Tab]:
    """A tab for the length of a `with`."""
    address = f"{exchange.phones.door.address()}?number={quote(number)}"
    with suppress(ConnectionClosed), connect(address, origin=origin or exchange.base_url, compression=None) as connection:
        tab = Tab(connection)
        thread = threading.Thread(target=tab.listen, daemon=True)
        thread.start()
        tab.until(lambda tab: tab.told)
        yield tab
    thread.join(PATIENCE)
