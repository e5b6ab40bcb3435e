"""Creating a call over HTTP, and every way in which its answer can go wrong."""

import socket
import struct
import threading

from flask import Request, jsonify
from flask.typing import ResponseReturnValue

from ivr.carrier.simulator import desk_telephones
from ivr.carrier.simulator.calls import Call
from ivr.carrier.simulator.exchange import Exchange, QueueFull
from ivr.carrier.simulator.ordering import Refused, order_from
from ivr.carrier.simulator.resources import call_json


def create(exchange: Exchange, request: Request) -> ResponseReturnValue:
    """Answer a creation: 201 with the queued call, or what the fault in force or the callee makes of it. Raises Refused."""
    order = order_from(request.form, exchange.account.caller_ids)
    fate = exchange.faults.draw()
    if fate == "too_many":
        raise Refused(429, 20429, "Too Many Requests")
    if fate == "error_before":
        raise Refused(500, 20500, "Internal Server Error")
    _check_callee(exchange, order.to)
    try:
        call = exchange.place(order)
    except QueueFull:
        raise Refused(429, 22005, "Call queue is full") from None
    answer = call_json(call)
    if fate is not None:
        _spoil(exchange, call, fate, request)
    return jsonify(answer), 201


def _check_callee(exchange: Exchange, number: str) -> None:
    kind = desk_telephones.kind_of(number)
    if exchange.is_registered(number) or not number.startswith("+"):
        return
    if kind.traits.pick_up == "rejected":
        raise Refused(400, 21216, f"Account not allowed to call {number}")
    if kind.name == "carrier_error" and exchange.first_failure_of(number):
        raise Refused(503, 20503, "Service Unavailable")


def _spoil(exchange: Exchange, call: Call, fate: str, request: Request) -> None:
    """The call is accepted, but its creator does not learn so in the ordinary way."""
    if fate == "callback_first":
        exchange.hurry(call)
    elif fate == "error_after":
        raise Refused(500, 20500, "Internal Server Error")
    elif fate == "reset_after":
        _reset(request)
    elif fate == "hang_after":
        threading.Event().wait(exchange.faults.plan.hang_seconds)
        raise Refused(504, 20504, "Gateway Timeout")


def _reset(request: Request) -> None:
    """Cut the connection so that the client sees a reset; a server that hides its socket sends a 502 instead."""
    connection = request.environ.get("werkzeug.socket") or request.environ.get("gunicorn.socket")
    if not isinstance(connection, socket.socket):
        raise Refused(502, 20502, "Bad Gateway")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.shutdown(socket.SHUT_RDWR)
    connection.close()
    raise Refused(502, 20502, "Bad Gateway")
