"""The stage of the walk: a browser with a window for each part and for both telephones, all in one language."""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.walk.demonstration import Demonstration

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page, Playwright

SCREEN = {"width": 1366, "height": 768}
LOCALES = {"zh": "zh-CN", "en": "en-GB"}
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--use-fake-device-for-media-stream",
         "--use-fake-ui-for-media-stream")  # fmt: skip
PATIENCE_SECONDS = 120.0
"""How long any one thing may take to come: a person is called, waits, an order is issued. Each takes some seconds."""

DESK_PHONE, THEIR_PHONE = "desk phone", "their phone"
LIVING = 1
"""The first byte of a sound that comes from somebody's microphone (`ivr.carrier.simulator.phones`)."""


@dataclass
class Stage:
    """Who plays where. `complaints` is what the browsers complained of, `heard` which telephones got living
    sound, `incident` the number of the incident that the walk is about."""

    demonstration: Demonstration
    language: str
    browser: "Browser"
    pages: dict[str, "Page"] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)
    heard: set[str] = field(default_factory=set)
    incident: str = ""

    @property
    def desk_phone(self) -> "Page":
        """The operator's telephone."""
        return self.telephone(DESK_PHONE, self.demonstration.desk_phone)

    @property
    def their_phone(self) -> "Page":
        """The telephone of the person who is called."""
        return self.telephone(THEIR_PHONE, self.demonstration.their_phone)

    def part(self, name: str) -> "Page":
        """The window in which this part has logged in."""
        if name not in self.pages:
            page = self.pages[name] = self._window(name, self.demonstration.console)
            page.goto("/login")
            page.fill("#name", name)
            page.fill("#password", self.demonstration.passwords[name])
            page.click("main form button")
            page.wait_for_url("**/")
        return self.pages[name]

    def telephone(self, name: str, address: str) -> "Page":
        """The window of a telephone, ready to ring."""
        if name not in self.pages:
            page = self.pages[name] = self._window(name, address.partition("/phone")[0])
            page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: self._hear(name, frame)))
            page.goto(address)
            page.locator("#dialler").wait_for()  # it has the number
        return self.pages[name]

    def window(self, name: str) -> "Page":
        """The window that was opened under this name: of a part, or of a telephone."""
        return self.pages[name]

    def await_sound(self, *names: str) -> None:
        """Wait until each of these telephones has got the sound of somebody's microphone. Raises AssertionError when one does not."""
        self.await_(lambda: self.heard.issuperset(names))

    def await_(self, is_so: Callable[[], object]) -> None:
        """Wait until it is so. Raises AssertionError when that takes too long."""
        end = time.monotonic() + PATIENCE_SECONDS
        while not is_so():
            assert time.monotonic() < end, f"it does not come; {', '.join(self.heard) or 'no telephone'} got living sound"
            next(iter(self.pages.values())).wait_for_timeout(100)

    def _window(self, name: str, base: str) -> "Page":
        context: BrowserContext = self.browser.new_context(viewport=SCREEN, locale=LOCALES[self.language], base_url=base)
        context.set_default_timeout(PATIENCE_SECONDS * 1000)
        page = context.new_page()
        ours = ("http://127.0.0.1:", "data:", "blob:")
        page.on(
            "console", lambda message: self.complaints.append(f"{name}: {message.text}") if message.type in ("error", "warning") else None
        )
        page.on("pageerror", lambda error: self.complaints.append(f"{name}: {error}"))
        page.on("request", lambda request: None if request.url.startswith(ours) else self.complaints.append(f"{name}: {request.url}"))
        return page

    def _hear(self, name: str, frame: object) -> None:
        if isinstance(frame, bytes) and frame[:1] == bytes((LIVING,)):
            self.heard.add(name)


def launched(playwright: "Playwright", language: str) -> "Browser":
    """Chromium as it is installed, in this language, with a microphone that beeps."""
    spoken = LOCALES[language]
    return playwright.chromium.launch(
        executable_path=shutil.which("chromium"),
        args=[*FLAGS, f"--lang={spoken}"],
        env={**os.environ, "LANGUAGE": spoken.replace("-", "_")},
    )


@contextmanager
def opened(browser: "Browser", demonstration: Demonstration, language: str) -> Iterator[Stage]:
    """A stage in this language; its windows are closed afterwards."""
    stage = Stage(demonstration, language, browser)
    try:
        yield stage
    finally:
        for page in stage.pages.values():
            page.context.close()
