"""What a browser finds on a page: axe's complaints, what the Tab key reaches, what does not fit, what is written."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Page

SCREEN = {"width": 1366, "height": 768}
TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
MOST_STOPS = 600
STILL = """document.addEventListener("htmx:beforeRequest", event => event.preventDefault(), true);"""
"""For a page that shall not change while it is looked at."""
UNFOLD = "document.querySelectorAll('details').forEach(one => { one.open = true; })"
AXE = """([tags, contrast]) => axe.run(document, {runOnly: {type: "tag", values: tags}, resultTypes: ["violations"],
    rules: {"target-size": {enabled: true}, "color-contrast": {enabled: contrast}}})
  .then(found => found.violations.flatMap(one => one.nodes.map(
    node => `${one.id}: ${node.target.join(" ")} ${node.html.slice(0, 160)} ${node.failureSummary.split("\\n").slice(1).join(";")}`)))"""
WATCH = """() => {
  const FOCUSABLE = "a[href], button, input:not([type=hidden]), select, textarea, summary, audio[controls], [tabindex]";
  const name = one => one.outerHTML.replace(/\\s+/g, " ").slice(0, 120);
  const isSeen = one => one.getClientRects().length > 0 && getComputedStyle(one).visibility === "visible";
  const isOneOfMany = one => one.type === "radio" && !one.checked
    && document.querySelectorAll(`input[type=radio][name="${one.name}"]`).length > 1
    && (document.querySelector(`input[type=radio][name="${one.name}"]:checked`)
        || document.querySelector(`input[type=radio][name="${one.name}"]`)) !== one;
  const expected = Array.from(document.querySelectorAll(FOCUSABLE))
    .filter(one => !one.disabled && one.tabIndex >= 0 && isSeen(one) && !isOneOfMany(one));
  const watch = window.watch = {expected: expected.map(name), stops: [], faults: [], isOver: false};
  const seen = one => {
    const style = getComputedStyle(one), box = one.getBoundingClientRect();
    const isMarked = (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2) || one.tagName === "AUDIO";
    if (!isMarked) watch.faults.push("no outline: " + name(one));
    if (box.bottom <= 0 || box.right <= 0 || box.top >= innerHeight || box.left >= innerWidth) {
      watch.faults.push("out of sight: " + name(one));
    } else {
      const points = Array.from(one.getClientRects()).flatMap(rect => [[rect.left + rect.width / 2, rect.top + rect.height / 2],
        [rect.left + 3, rect.top + 3], [rect.right - 3, rect.bottom - 3]]);
      const isHit = ([x, y]) => { const hit = document.elementFromPoint(x, y); return hit && (one.contains(hit) || hit.contains(one)); };
      if (!points.some(isHit)) watch.faults.push("covered: " + name(one));
    }
  };
  document.addEventListener("keydown", event => {
    if (event.key !== "Tab") return;
    const one = document.activeElement;
    if (one && one !== document.body && watch.last !== one) { watch.last = one; watch.stops.push(name(one)); seen(one); }
  }, true);
  document.addEventListener("focusin", event => { watch.isOver = event.target === expected[0] && watch.stops.length > 0; }, true);
  document.body.tabIndex = -1;  // the walk begins at the top, wherever the page has put the focus
  document.body.focus();
  document.body.removeAttribute("tabindex");
  document.body.blur();
  return expected.length;
}"""
TOO_WIDE = """() => [
  ...(document.documentElement.scrollWidth > innerWidth ? ["the page is " + document.documentElement.scrollWidth + " wide"] : []),
  ...Array.from(document.querySelectorAll("main *, nav *, header *"))
    .filter(one => one.scrollWidth > one.clientWidth + 1 && /auto|scroll/.test(getComputedStyle(one).overflowX) && one.clientWidth > 0)
    .filter(one => one.tabIndex < 0 && !/^(TEXTAREA|SELECT|INPUT)$/.test(one.tagName))
    .map(one => "scrolls without being reached by keyboard: " + one.outerHTML.slice(0, 120))]"""
WRITTEN = """() => {
  const own = document.documentElement.lang.slice(0, 2);
  const copy = document.body.cloneNode(true);
  copy.querySelectorAll("code, kbd, script, style, noscript, textarea").forEach(one => one.remove());
  copy.querySelectorAll("[lang]").forEach(one => { if (one.lang.slice(0, 2) !== own) one.remove(); });
  const told = Array.from(copy.querySelectorAll("[title], [aria-label], [placeholder], [alt]")).flatMap(
    one => ["title", "aria-label", "placeholder", "alt"].map(key => one.getAttribute(key) || ""));
  const walker = document.createTreeWalker(copy, NodeFilter.SHOW_TEXT);
  const texts = [];
  while (walker.nextNode()) texts.push(walker.currentNode.textContent);
  return [document.title, ...texts, ...told].join("\\n");
}"""


@dataclass(frozen=True)
class Inspection:
    """What was found on a page. Each list is empty where all is well.

    `stops` are what Tab reaches, `expected` what it should; `written` are its words but for code, keys, and what is typed or marked
    as another language.
    """

    lang: str
    violations: tuple[str, ...]
    too_wide: tuple[str, ...]
    expected: tuple[str, ...]
    stops: tuple[str, ...]
    focus_faults: tuple[str, ...]
    written: str


def inspect(page: "Page", axe_script: str, *, contrast: bool = True) -> Inspection:
    """Look at the page that is open, with everything unfolded, then walk it with the Tab key until it begins again.

    `contrast`: whether colours are measured, axe's dearest rule: in one language of a page is enough.
    """
    page.evaluate(UNFOLD)
    page.evaluate(axe_script)
    violations: list[str] = page.evaluate(AXE, [TAGS, contrast])
    too_wide: list[str] = page.evaluate(TOO_WIDE)
    written: str = page.evaluate(WRITTEN)
    walked = _walk(page)
    return Inspection(
        page.evaluate("document.documentElement.lang"), tuple(violations), tuple(too_wide), tuple(walked["expected"]),
        tuple(walked["stops"]), tuple(walked["faults"]), written,
    )  # fmt: skip


def _walk(page: "Page") -> dict[str, Any]:
    expected = page.evaluate(WATCH)
    for n in range(MOST_STOPS):
        page.keyboard.press("Tab")
        if n >= expected and page.evaluate("watch.isOver || document.activeElement === document.body"):
            break
    walked: dict[str, Any] = page.evaluate("({expected: watch.expected, stops: watch.stops, faults: watch.faults})")
    return walked
