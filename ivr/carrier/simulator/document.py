"""Reading TwiML strictly: what the carrier obeys, and every fault in it (twilio_voice §3)."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from xml.etree import ElementTree

from ivr.carrier.simulator.grammar import CHILDREN, LAST_WORDS, ROOM_VERBS, TOP_LEVEL, VALUES, attributes_of, ends_a_document

LIMIT_BYTES = 64 * 1024
XML_TYPES = frozenset({"text/xml", "application/xml", "text/html"})


@dataclass(frozen=True)
class Verb:
    """One element. `text` is its own text, without that of its children (Say keeps all of it)."""

    name: str
    attributes: Mapping[str, str]
    text: str
    children: tuple["Verb", ...] = ()

    def get(self, name: str, default: str = "") -> str:
        """The attribute's value or the default."""
        return self.attributes.get(name, default)


def of_file(seconds: float) -> tuple[Verb, ...]:
    """What a sound file says that came instead of a document: it is heard once, then the call ends."""
    return Verb("Pause", {"length": str(max(1, round(seconds))), "sound": "true"}, ""), Verb("Hangup", {}, "")


def sounds(verb: Verb) -> bool:
    """Whether a Say, Play or Pause can be heard: a pause only as a file in disguise."""
    return verb.name != "Pause" or bool(verb.get("sound"))


@dataclass(frozen=True)
class Fault:
    """Something wrong with a reply. `code` is the carrier's error number."""

    code: int
    message: str


def read(body: bytes, content_type: str, purpose: str = "call") -> tuple[tuple[Verb, ...], list[Fault]]:
    """The verbs of a document and its faults; with faults the verbs must not be obeyed.

    `purpose` is `call`, `wait` (waitUrl: comes round again by itself), `whisper` (before a leg is joined) or `room` (fills the time in a
    conference): only the first needs an end.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "text/plain" and not body.lstrip().startswith(b"<"):
        return (Verb("Say", {}, body.decode(errors="replace")), Verb("Hangup", {}, "")), []
    if kind not in XML_TYPES | {"text/plain"}:
        return (), [Fault(12300, f"content type {kind or 'missing'!r} is not TwiML")]
    if len(body) > LIMIT_BYTES:
        return (), [Fault(11750, f"document of {len(body)} bytes is over {LIMIT_BYTES}")]
    return _parsed(body, purpose)


def _parsed(body: bytes, purpose: str) -> tuple[tuple[Verb, ...], list[Fault]]:
    if b"<!DOCTYPE" in body:
        return (), [Fault(12100, "a document type declaration is not allowed")]
    try:
        root = ElementTree.fromstring(body)
    except ElementTree.ParseError as problem:
        return (), [Fault(12100, f"not well-formed: {problem}")]
    if root.tag != "Response":
        return (), [Fault(12102, f"root is <{root.tag}>, not <Response>")]
    verbs = tuple(_verb(element) for element in root)
    return verbs, [*_faults_of(verbs), *_order_faults(verbs, purpose)]


def _verb(element: ElementTree.Element) -> Verb:
    if element.tag == "Say":
        return Verb("Say", element.attrib, "".join(element.itertext()))
    return Verb(element.tag, element.attrib, (element.text or "").strip(), tuple(_verb(child) for child in element))


def _faults_of(verbs: tuple[Verb, ...]) -> Iterator[Fault]:
    for verb in verbs:
        if verb.name not in TOP_LEVEL:
            yield Fault(12200, f"<{verb.name}> is not a verb")
        else:
            yield from _element_faults(verb)


def _element_faults(verb: Verb) -> Iterator[Fault]:
    allowed = attributes_of(verb.name)
    for name, value in verb.attributes.items():
        if name not in allowed:
            yield Fault(12200, f"<{verb.name}> has no attribute {name!r}")
        elif (pattern := VALUES.get((verb.name, name))) and not re.fullmatch(pattern, value):
            yield Fault(12200, f"<{verb.name}> does not take {name}={value!r}")
    for child in verb.children:
        if child.name not in CHILDREN.get(verb.name, frozenset()):
            yield Fault(12200, f"<{child.name}> cannot stand in <{verb.name}>")
        else:
            yield from _element_faults(child)


def _order_faults(verbs: tuple[Verb, ...], purpose: str) -> Iterator[Fault]:
    if purpose == "room":
        yield from (Fault(12200, f"<{verb.name}> cannot be used inside a conference") for verb in verbs if verb.name not in ROOM_VERBS)
    if not verbs and purpose == "call":
        yield Fault(12200, "the document is empty")
    for verb, following in zip_longest(verbs, verbs[1:]):
        if verb.name in ("Gather", "Record") and not verb.get("action"):
            yield Fault(12200, f"<{verb.name}> without action would ask for the same document again")
        if verb.name == "Gather" and purpose == "call" and (following is None or following.name != "Redirect"):
            yield Fault(12200, "<Gather> is not followed by <Redirect>")
        if following is not None and verb.name in LAST_WORDS:
            yield Fault(12200, f"<{following.name}> after <{verb.name}> is never reached")
    if verbs and purpose == "call" and not ends_a_document(verbs[-1].name, verbs[-1].attributes):
        yield Fault(12200, f"the document ends with <{verbs[-1].name}> and nothing that ends the call or goes on")
