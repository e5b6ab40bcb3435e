"""The carrier's API over HTTP: the routes of `2010-04-01` that we use, and control routes for this machine alone."""

import threading
from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask, Response, jsonify, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from ivr.carrier.simulator import access, conferences_rest, control, creation, listing, phone_page, resources
from ivr.carrier.simulator.calls import Call, Recording
from ivr.carrier.simulator.effects import Dequeued, Redirected, Target
from ivr.carrier.simulator.exchange import Exchange
from ivr.carrier.simulator.network import WaitingLine
from ivr.carrier.simulator.ordering import Refused, changed, checked_url

ROOT = "/2010-04-01/Accounts/<account>"


class Counting:
    """Counts the requests in progress and tells each of them how many there are."""

    def __init__(self, inner: Callable[..., Iterable[bytes]]) -> None:
        self._inner, self._lock, self._count = inner, threading.Lock(), 0

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        with self._lock:
            self._count += 1
            environ["carrier.concurrent"] = self._count
        try:
            return self._inner(environ, start_response)
        finally:
            with self._lock:
                self._count -= 1


def create_app(exchange: Exchange) -> Flask:
    """The WSGI app of one exchange. State lives in the exchange: serve it from one process."""
    app = Flask(__name__, static_folder=None)
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.wsgi_app = Counting(app.wsgi_app)  # type: ignore[method-assign]
    app.before_request(lambda: _guard(exchange))
    app.after_request(_after)
    app.register_error_handler(Refused, _refused)
    app.register_error_handler(HTTPException, _http_error)
    _calls(app, exchange)
    _recordings(app, exchange)
    _queues(app, exchange)
    app.register_blueprint(conferences_rest.blueprint(exchange))
    app.register_blueprint(control.blueprint(exchange))
    app.register_blueprint(phone_page.blueprint(exchange))
    return app


def _guard(exchange: Exchange) -> None:
    args = request.view_args or {}
    if "account" in args:
        access.check(exchange.account, args.pop("account"), request.authorization)


def _after(response: Response) -> Response:
    response.headers["Twilio-Concurrent-Requests"] = str(request.environ["carrier.concurrent"])
    return response


def _refused(problem: Refused) -> ResponseReturnValue:
    return jsonify(resources.error_json(problem.status, problem.code, problem.message)), problem.status


def _http_error(problem: HTTPException) -> ResponseReturnValue:
    status = problem.code or 500
    message = f"The requested resource {request.path} was not found" if status == 404 else problem.name
    return jsonify(resources.error_json(status, 20404 if status == 404 else 20000 + status % 1000, message)), status


def _route(app: Flask, path: str, method: str) -> Callable[[Callable[..., ResponseReturnValue]], Callable[..., ResponseReturnValue]]:
    def register(view: Callable[..., ResponseReturnValue]) -> Callable[..., ResponseReturnValue]:
        app.add_url_rule(ROOT + path, f"{method} {path}", view, methods=[method])
        return view

    return register


def _calls(app: Flask, exchange: Exchange) -> None:
    @_route(app, "/Calls.json", "POST")
    def create() -> ResponseReturnValue:
        return creation.create(exchange, request)

    @_route(app, "/Calls.json", "GET")
    def find() -> ResponseReturnValue:
        horizon = exchange.clock.now() - exchange.faults.plan.list_lag_seconds
        calls = exchange.calls_to(request.args["To"]) if "To" in request.args else list(exchange.calls.values())
        found = listing.matching((call for call in calls if call.created_at <= horizon), request.args)
        return listing.page(found, "calls", request.path, request.args, resources.call_json)

    @_route(app, "/Calls/<sid>.json", "GET")
    def fetch(sid: str) -> ResponseReturnValue:
        return resources.call_json(_call(exchange, sid))

    @_route(app, "/Calls/<sid>.json", "POST")
    def update(sid: str) -> ResponseReturnValue:
        call = _call(exchange, sid)
        _change(exchange, call)
        return resources.call_json(call)

    @_route(app, "/Calls/<sid>.json", "DELETE")
    def delete(sid: str) -> ResponseReturnValue:
        call = _call(exchange, sid)
        if not call.ended:
            raise Refused(400, 20009, "Call is in progress")
        exchange.forget(call)
        return "", 204

    @_route(app, "/Calls/<sid>/Notifications.json", "GET")
    def notifications(sid: str) -> ResponseReturnValue:
        call = _call(exchange, sid)
        return listing.page(
            call.notifications, "notifications", request.path, request.args, lambda each: resources.notification_json(each, call)
        )

    @_route(app, "/Calls/<sid>/Recordings.json", "GET")
    def recordings(sid: str) -> ResponseReturnValue:
        return _recording_page(exchange, [each for each in _call(exchange, sid).recordings if not each.deleted])


def _change(exchange: Exchange, call: Call) -> None:
    """Status, or another document, or other callbacks for a live call."""
    form = request.form
    if call.ended or (call.answered_at is None and not form.get("Status") and (form.get("Url") or form.get("Twiml"))):
        raise Refused(400, 21220, f"Call {call.sid} is not in-progress. Cannot redirect.")
    call.order = changed(call.order, form)
    status = form.get("Status", "")
    if status not in ("", "canceled", "completed"):
        raise Refused(400, 20001, f"Invalid Status: {status}")
    if status == "completed" or (status == "canceled" and call.answered_at is None):
        exchange.end(call)
    elif call.parent is not None and not status and (form.get("Url") or form.get("Twiml")):
        raise Refused(400, 20001, "The simulated carrier does not redirect a dialled leg")
    elif form.get("Url") and not status:
        exchange.interrupt(call, Redirected(Target(checked_url(form["Url"]), form.get("Method", "POST"))))
    elif form.get("Twiml") and not status:
        exchange.interrupt(call, Redirected(Target("", twiml=form["Twiml"])))


def _recordings(app: Flask, exchange: Exchange) -> None:
    @_route(app, "/Recordings.json", "GET")
    def find() -> ResponseReturnValue:
        wanted = request.args.get("CallSid")
        return _recording_page(
            exchange, [each for each in exchange.recordings.values() if not each.deleted and wanted in (None, each.call_sid)]
        )

    @_route(app, "/Recordings/<sid>.json", "GET")
    def fetch(sid: str) -> ResponseReturnValue:
        return resources.recording_json(_recording(exchange, sid), exchange.account.sid, exchange.clock.now())

    @_route(app, "/Recordings/<sid>.json", "DELETE")
    def delete(sid: str) -> ResponseReturnValue:
        _recording(exchange, sid).deleted = True
        return "", 204

    @_route(app, "/Recordings/<sid>.wav", "GET")
    @_route(app, "/Recordings/<sid>", "GET")
    def media(sid: str) -> ResponseReturnValue:
        recording = _recording(exchange, sid)
        if exchange.clock.now() < recording.available_at:
            raise Refused(404, 20404, f"The recording {sid} is not available yet")
        return Response(exchange.media.recorded(recording), mimetype="audio/x-wav")


def _recording_page(exchange: Exchange, found: list[Recording]) -> dict[str, Any]:
    now = exchange.clock.now()
    return listing.page(
        found, "recordings", request.path, request.args, lambda each: resources.recording_json(each, exchange.account.sid, now)
    )


def _queues(app: Flask, exchange: Exchange) -> None:
    sid_of = exchange.account.sid

    @_route(app, "/Queues.json", "GET")
    def find() -> ResponseReturnValue:
        lines = list(exchange.queues.values())
        return listing.page(lines, "queues", request.path, request.args, lambda line: resources.queue_json(line, sid_of))

    @_route(app, "/Queues.json", "POST")
    def create() -> ResponseReturnValue:
        if not request.form.get("FriendlyName"):
            raise Refused(400, 20001, "FriendlyName is required")
        line = exchange.waiting_line(request.form["FriendlyName"])
        line.max_size = min(int(request.form.get("MaxSize", "1000")), 5000)
        return resources.queue_json(line, sid_of), 201

    @_route(app, "/Queues/<sid>.json", "GET")
    def fetch(sid: str) -> ResponseReturnValue:
        return resources.queue_json(_queue(exchange, sid), sid_of)

    @_route(app, "/Queues/<sid>/Members.json", "GET")
    def members(sid: str) -> ResponseReturnValue:
        line, now = _queue(exchange, sid), exchange.clock.now()
        positions = list(range(1, len(line.members) + 1))
        return listing.page(
            positions, "queue_members", request.path, request.args, lambda position: resources.member_json(line, position, sid_of, now)
        )

    @_route(app, "/Queues/<sid>/Members/<member>.json", "GET")
    def member(sid: str, member: str) -> ResponseReturnValue:
        line = _queue(exchange, sid)
        return resources.member_json(line, _position(line, member), sid_of, exchange.clock.now())

    @_route(app, "/Queues/<sid>/Members/<member>.json", "POST")
    def dequeue(sid: str, member: str) -> ResponseReturnValue:
        target = Target(checked_url(request.form.get("Url", "")), request.form.get("Method", "POST"))
        line = _queue(exchange, sid)
        with exchange.schedule.changed:
            position = _position(line, member)
            told = resources.member_json(line, position, sid_of, exchange.clock.now())
            call, _ = line.members[position - 1]
            del line.members[position - 1]
        exchange.interrupt(call, Dequeued(target, "redirected"))
        return told


def _position(line: WaitingLine, member: str) -> int:
    for position, (call, _) in enumerate(line.members, start=1):
        if member in ("Front", call.sid):
            return position
    raise Refused(404, 20404, f"No member {member} in queue {line.sid}")


def _call(exchange: Exchange, sid: str) -> Call:
    if sid not in exchange.calls:
        raise Refused(404, 20404, f"The requested resource {request.path} was not found")
    return exchange.calls[sid]


def _recording(exchange: Exchange, sid: str) -> Recording:
    recording = exchange.recordings.get(sid)
    if recording is None or recording.deleted:
        raise Refused(404, 20404, f"The requested resource {request.path} was not found")
    return recording


def _queue(exchange: Exchange, sid: str) -> WaitingLine:
    if sid not in exchange.queues:
        raise Refused(404, 20404, f"The requested resource {request.path} was not found")
    return exchange.queues[sid]
