"""A tiny voice application for the exchange to call: canned documents, every request kept."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from twilio.request_validator import RequestValidator
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

TOKEN = "f" * 32
OPENING = "您好,这里是市公安局语音回访。不方便请按9,以后不再接听请按0。请问当时是您本人报的警吗?是,请按1;不是,请按2。"
ITEMS = {
    "speed": "第一题,民警到达现场的速度,您觉得:非常满意请按1,满意请按2,一般请按3,不满意请按4,非常不满意请按5,说不清请按6。",
    "attitude": "第二题,民警的态度。按1到5,1是非常满意,5是非常不满意,说不清请按6。",
    "outcome": "第三题,处置结果。按1到5,1是非常满意,5是非常不满意,说不清请按6。",
    "equipment": "第四题,民警的单警装备。按1到5,1是非常满意,5是非常不满意,说不清请按6。",
    "appearance": "第五题,民警的警容风纪。按1到5,1是非常满意,5是非常不满意,说不清请按6。",
}
REMARK = "对公安工作有什么意见建议,请在嘀声后说,说完按井号。没有请按1。"


@dataclass(frozen=True)
class Seen:
    """One request that the application got."""

    method: str
    path: str
    query: str
    form: dict[str, str]
    headers: dict[str, str]
    signed: bool


Answer = Callable[[Seen], Response]


class QuietHandler(WSGIRequestHandler):
    """Writes no log."""

    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Write nothing."""


@dataclass
class Toy:
    """The application: `pages` maps paths to documents or functions; what is missing is answered 404."""

    pages: dict[str, str | Answer] = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)
    url: str = ""

    def __call__(self, environ, start_response):
        request = Request(environ)
        seen = self._seen(request)
        self.seen.append(seen)
        page = self.pages.get(request.path)
        if callable(page):
            answer = page(seen)
        else:
            answer = Response("", 404) if page is None else xml(page)
        return answer(environ, start_response)

    def _seen(self, request: Request) -> Seen:
        form = request.form.to_dict()
        signature = request.headers.get("X-Twilio-Signature", "")
        signed = bool(signature) and RequestValidator(TOKEN).validate(request.url, form, signature)
        return Seen(request.method, request.path, request.query_string.decode(), form, dict(request.headers), signed)

    def paths(self) -> list[str]:
        """The paths asked for, in order."""
        return [seen.path for seen in self.seen]

    def statuses(self, sid: str | None = None) -> list[str]:
        """The statuses told to /status, in order of arrival."""
        return [seen.form["CallStatus"] for seen in self.seen if seen.path == "/status" and sid in (None, seen.form["CallSid"])]


def xml(document: str) -> Response:
    """A document as a TwiML reply."""
    return Response(f"<Response>{document}</Response>", content_type="text/xml")


def gather(prompt: str, action: str, attributes: str = "") -> str:
    """A Gather for one key with the trailing Redirect."""
    return (
        f'<Gather action="{action}" numDigits="1" timeout="5" actionOnEmptyResult="true" {attributes}><Say>{escape(prompt)}</Say></Gather>'
        f"<Redirect>{action}</Redirect>"
    )


def survey() -> dict[str, str | Answer]:
    """A whole survey: opening, five ratings, a remark; keys decide nothing but the way out."""
    steps = ["right_person", *ITEMS]
    pages: dict[str, str | Answer] = {"/steps/0": gather(OPENING, "/steps/1")}
    for number, item in enumerate(ITEMS, start=1):
        pages[f"/steps/{number}"] = _turn(number, gather(ITEMS[item], f"/steps/{number + 1}"))
    remark = f'<Say>{REMARK}</Say><Record action="/steps/7" finishOnKey="#1" maxLength="60" recordingStatusCallback="/recordings"/>'
    pages[f"/steps/{len(steps)}"] = _turn(6, remark)
    pages["/steps/7"] = "<Say>感谢您的评价,再见。</Say><Hangup/>"
    pages["/status"] = pages["/recordings"] = pages["/machine"] = "<Hangup/>"
    pages["/fallback"] = "<Say>对不起。</Say><Hangup/>"
    return pages


def _turn(number: int, document: str) -> Answer:
    def answer(seen: Seen) -> Response:
        left = {"9": "再见。", "0": "不再打扰。", "8": "稍后有人联系您。"}.get(seen.form.get("Digits", ""))
        if left or (number == 1 and seen.form.get("Digits") == "2"):
            return xml(f"<Say>{left or '打扰了。'}</Say><Hangup/>")
        return xml(document)

    return answer


@contextmanager
def served(toy: Toy) -> Iterator[Toy]:
    """The application on a free port of this machine."""
    server = make_server("127.0.0.1", 0, toy, threaded=True, request_handler=QuietHandler)
    toy.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield toy
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
