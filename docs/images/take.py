"""Takes the pictures of the READMEs from a running demonstration: see CONTRIBUTING.md, “Pictures”.

    .venv/bin/python docs/images/take.py http://127.0.0.1:8800/ admin <password>

Writes <page>-<language>.png beside this file, 1366 × 768, and names every picture above LARGEST_BYTES.
"""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

HERE = Path(__file__).parent
SCREEN = {"width": 1366, "height": 768}
LOCALES = {"zh": "zh-CN", "en": "en-GB"}
LARGEST_BYTES = 300_000
PAGES = {
    "home": ("/",),
    "campaign": ("/campaigns", "main a[href^='/campaigns/']"),
    "queue": ("/escalations",),
    "call": ("/escalations", "main a[href^='/calls/']"),
    "sheet": ("/reports", "main a[href^='/reports/']"),
}
"""Picture -> the page it starts from, and the link to follow there, if any."""


def main(address: str, name: str, password: str) -> int:
    """Take all pictures in both languages; the exit status: 1 when one is too large."""
    base = address.rstrip("/")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"])
        taken = [path for language in LOCALES for path in take(browser, base, language, name, password)]
        browser.close()
    large = [path for path in taken if path.stat().st_size > LARGEST_BYTES]
    for path in taken:
        sys.stdout.write(f"{path.name}\t{path.stat().st_size} bytes{' : too large' if path in large else ''}\n")
    return 1 if large else 0


def take(browser: Browser, base: str, language: str, name: str, password: str) -> Iterator[Path]:
    """Log in with a browser of that language and photograph every page."""
    context = browser.new_context(viewport=SCREEN, locale=LOCALES[language])
    page = context.new_page()
    log_in(page, base, name, password)
    for picture, (place, *links) in PAGES.items():
        page.goto(base + place)
        for link in links:
            page.locator(link).first.click()
        page.wait_for_load_state("networkidle")
        path = HERE / f"{picture}-{language}.png"
        page.screenshot(path=path)
        yield path
    context.close()


def log_in(page: Page, base: str, name: str, password: str) -> None:
    """Enter the console by its log-in page."""
    page.goto(f"{base}/login")
    page.fill("input[name=name]", name)
    page.fill("input[name=password]", password)
    page.locator("main form button").click()
    page.wait_for_url(f"{base}/")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
