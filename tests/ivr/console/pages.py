"""A page as its reader meets it, and the rules that hold for every page."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"}
APART = {"td", "th", "dt", "dd", "li", "a", "h1", "h2", "p", "option", "button", "summary", "label"}
SELF_LABELLED = {"hidden", "submit", "button"}


@dataclass
class Element:
    """A tag with its attributes and the text inside."""

    name: str
    attributes: dict[str, str]
    text: str = ""


@dataclass
class Page:
    """All elements of a page in document order; `problems` are faults of the mark-up itself."""

    html: str
    elements: list[Element] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @classmethod
    def parse(cls, html: str) -> "Page":
        page = cls(html)
        reader = _Reader(page)
        reader.feed(html)
        reader.close()
        page.problems += [f"<{element.name}> is never closed" for element in reader.open if element.name not in ("p", "li")]
        return page

    def all(self, name: str) -> list[Element]:
        return [element for element in self.elements if element.name == name]

    def one(self, name: str) -> Element:
        found = self.all(name)
        assert len(found) == 1, f"{len(found)} × <{name}>"
        return found[0]

    @property
    def text(self) -> str:
        return " ".join(self.one("body").text.split())

    def check(self) -> None:
        """Assert the rules of every page."""
        assert not self.problems, self.problems
        assert self.all("title")[0].text.strip(" ·"), "no title"
        assert len(self.all("h1")) == 1, "a page has exactly one h1"
        self._check_ids()
        self._check_labels()
        self._check_tables()
        self._check_forms()
        self._check_content_policy()

    def _check_ids(self) -> None:
        ids = [element.attributes["id"] for element in self.elements if "id" in element.attributes]
        assert len(ids) == len(set(ids)), f"ids occur twice: {sorted({one for one in ids if ids.count(one) > 1})}"

    def _check_labels(self) -> None:
        labelled = {label.attributes.get("for") for label in self.all("label") if label.text.strip()}
        for field_ in [*self.all("input"), *self.all("select"), *self.all("textarea")]:
            kind = field_.attributes.get("type", "text")
            named = field_.attributes.get("id") in labelled or field_.attributes.get("aria-label", "").strip()
            assert kind in SELF_LABELLED or named, f"no label for {field_.attributes}"
        for button in [*self.all("button"), *self.all("a")]:
            assert button.text.strip() or "aria-label" in button.attributes, f"nothing to read on {button}"

    def _check_tables(self) -> None:
        heads = self.all("th")
        assert len(self.all("table")) == 0 or heads, "a table without headers"
        for head in heads:
            assert head.attributes.get("scope") in ("col", "row"), f"a header without scope: {head}"
            assert head.text.strip() or head.attributes["scope"] == "row", "a column without a name"

    def _check_forms(self) -> None:
        for form in self.all("form"):
            assert form.attributes.get("action", "").startswith("/"), "a form names its action"
        posts = sum(form.attributes.get("method") == "post" for form in self.all("form"))
        tokens = sum(one.attributes.get("name") == "csrf_token" for one in self.all("input"))
        assert tokens == posts, "each form that posts carries one CSRF token"

    def _check_content_policy(self) -> None:
        for element in self.elements:
            assert "style" not in element.attributes, f"inline style on {element.name}"
            assert not any(name.startswith("on") for name in element.attributes), f"inline script on {element.name}"
            assert element.name != "script" or element.attributes.get("src", "").startswith("/static/")
        assert not self.all("style")


class _Reader(HTMLParser):
    def __init__(self, page: Page) -> None:
        super().__init__(convert_charrefs=True)
        self.page = page
        self.open: list[Element] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        if len(names) != len(set(names)):
            self.page.problems.append(f"an attribute occurs twice on <{tag}>")
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.page.elements.append(element)
        if tag not in VOID:
            self.open.append(element)
        elif self.open:
            self.open[-1].text += " "

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.page.elements.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open[-1].name != tag:
            self.page.problems.append(f"</{tag}> closes {self.open[-1].name if self.open else 'nothing'}")
            return
        element = self.open.pop()
        if self.open:
            self.open[-1].text += element.text + (" " if tag in APART else "")

    def handle_data(self, data: str) -> None:
        if self.open:
            self.open[-1].text += data
