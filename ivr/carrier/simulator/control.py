"""Routes beside the carrier's: the clock, the journal, faults, who answers. For this machine alone."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from flask import Blueprint, abort, request
from flask.typing import ResponseReturnValue

from ivr.carrier.simulator import access, callees
from ivr.carrier.simulator.calls import Call
from ivr.carrier.simulator.clock import moment
from ivr.carrier.simulator.exchange import Exchange
from ivr.carrier.simulator.faults import plan_from
from ivr.carrier.simulator.incoming import NoNumber, Number, Typist
from ivr.carrier.simulator.line import Degradation
from ivr.carrier.simulator.media import Speech
from ivr.carrier.simulator.ordering import checked_url
from ivr.carrier.simulator.persona import Persona
from ivr.carrier.simulator.phone import PHONE

SPEECH = {"share": float, "patience_seconds": float, "skips_silence": bool}


def blueprint(exchange: Exchange) -> Blueprint:
    """`/simulator/clock`, `/journal`, `/faults`, `/callees`, `/people`, `/speech`, `/number`, `/incoming`, `/calls/end`."""
    routes = Blueprint("simulator", __name__, url_prefix="/simulator")

    @routes.before_request
    def guard() -> None:
        if not access.from_this_machine(request.remote_addr):
            abort(403)

    _add_clock(routes, exchange)
    _add_faults(routes, exchange)
    _add_people(routes, exchange)
    _add_calls(routes, exchange)
    return routes


def _add_clock(routes: Blueprint, exchange: Exchange) -> None:
    @routes.get("/clock")
    def clock() -> ResponseReturnValue:
        return _clock(exchange)

    @routes.post("/clock")
    def set_clock() -> ResponseReturnValue:
        wish = request.get_json(silent=True) or {}
        try:
            _move(exchange, wish)
        except (RuntimeError, ValueError, TypeError) as problem:
            return {"problem": str(problem)}, 400
        return _clock(exchange)


def _add_faults(routes: Blueprint, exchange: Exchange) -> None:
    @routes.get("/faults")
    def faults() -> ResponseReturnValue:
        return exchange.faults.plan.to_json()

    @routes.post("/faults")
    def set_faults() -> ResponseReturnValue:
        try:
            exchange.inflict(plan_from(request.get_json(silent=True) or {}, exchange.faults.plan))
        except ValueError as problem:
            return {"problem": str(problem)}, 400
        return exchange.faults.plan.to_json()


def _add_people(routes: Blueprint, exchange: Exchange) -> None:
    @routes.get("/callees")
    def table() -> ResponseReturnValue:
        return {"callees": list(callees.rows())}

    @routes.post("/people")
    def put_people() -> ResponseReturnValue:
        wish = request.get_json(silent=True) or {}
        try:
            traits = callees.traits_of(wish["callee"])
        except KeyError as problem:
            return {"problem": f"unknown or missing: {problem}"}, 400
        for number in wish.get("numbers", ()):
            exchange.register(str(number), traits)
        return {"callee": wish["callee"]}

    @routes.post("/speech")
    def set_speech() -> ResponseReturnValue:
        try:
            exchange.media.speech = _speech(exchange.media.speech, request.get_json(silent=True) or {})
        except (ValueError, TypeError) as problem:
            return {"problem": str(problem)}, 400
        return {name: getattr(exchange.media.speech, name) for name in SPEECH}


def _add_calls(routes: Blueprint, exchange: Exchange) -> None:
    @routes.get("/journal")
    def journal() -> ResponseReturnValue:
        return {"calls": exchange.journal(since=request.args.get("since", 0, type=int))}

    @routes.post("/calls/end")
    def end_calls() -> ResponseReturnValue:
        """Everybody hangs up, but for who is at a browser phone."""
        for call in exchange.live_calls():
            if call.parent is None and call.callee != PHONE:
                exchange.end(call)
        return _clock(exchange)

    @routes.post("/number")
    def set_number() -> ResponseReturnValue:
        wish = request.get_json(silent=True) or {}
        status = wish.get("status_url")
        exchange.number = Number(checked_url(wish.get("voice_url", "")), checked_url(status) if status else None)
        return {"voice_url": exchange.number.voice_url, "status_url": exchange.number.status_url}

    @routes.post("/incoming")
    def call_in() -> ResponseReturnValue:
        wish = request.get_json(silent=True) or {}
        try:
            return {"sid": _incoming(exchange, wish).sid}, 201
        except (KeyError, NoNumber) as problem:
            return {"problem": f"unknown or missing: {problem}"}, 400


def _speech(now: Speech, wish: dict[str, Any]) -> Speech:
    if unknown := set(wish) - set(SPEECH) - {"line"}:
        raise ValueError(f"unknown: {', '.join(sorted(unknown))}")
    changes: dict[str, Any] = {name: kind(wish[name]) for name, kind in SPEECH.items() if name in wish}
    if "line" in wish:
        changes["line"] = Degradation(**wish["line"])
    return replace(now, **changes)


def _incoming(exchange: Exchange, wish: dict[str, Any]) -> Call:
    """Somebody calls us: who presses `keys`, behaves like a kind of `callee`, or as the table says of the number `from`."""
    caller: str = wish["from"]
    persona: Persona | None = None
    if "keys" in wish:
        persona = Typist(str(wish["keys"]), caller, exchange.seed)
    elif "callee" in wish:
        persona = Persona(callees.traits_of(wish["callee"]), caller, exchange.seed, 1, exchange.media.speech.share)
    return exchange.receive(caller, wish["to"], persona)


def _move(exchange: Exchange, wish: dict[str, Any]) -> None:
    if wish.get("mode") == "real":
        exchange.schedule.run_in_real_time()
    elif wish.get("mode") == "virtual":
        exchange.schedule.freeze()
    elif "until" in wish:
        until = datetime.fromisoformat(wish["until"])
        if until.tzinfo is None:
            raise ValueError("until needs a time zone")
        exchange.run_until(until)
    else:
        raise ValueError("say until (ISO time) or mode (real, virtual)")


def _clock(exchange: Exchange) -> dict[str, Any]:
    following, live = exchange.next_event_at(), exchange.live_calls()
    return {
        "now": moment(exchange.clock.now()).isoformat(), "next_event_at": following.isoformat() if following else None,
        "live_calls": len(live), "at_phones": sum(call.callee == PHONE for call in live),
        "mode": "real" if exchange.clock.running else "virtual",
    }  # fmt: skip
