"""Use cases of a running campaign, in the order a respondent lives through them.

campaigns (launch, pause) → dialling (claim, place, reconcile) → turns (the conversation) → statuses (what the
carrier reports) → settlement (verdict and next step), with escalations and recordings beside them. What holds dialling back
lies in `holds`, opened by `limits` (caps, spend), `silence` (abandoned calls) and `breaker` (carrier out of reach); what a
person must decide in `reviews` and `alarms`. Each takes the caller's unit of work and `now`; nobody here commits, opens a
connection, or looks at a clock.
"""

from survey.fieldwork import holds, reviews
from survey.fieldwork.attempts import note_broken
from survey.fieldwork.bookings import book
from survey.fieldwork.campaigns import change_limits, change_pace, finish_if_done, launch, pause, resume, rules_of, start, stop
from survey.fieldwork.dialling import DialOrder, Early, claim_due, look_ahead, prepare_dial
from survey.fieldwork.escalations import escalate
from survey.fieldwork.hearings import Asked, Spoken, asked_at, note_hearing
from survey.fieldwork.incoming import apply_incoming_status, recognise, take_up
from survey.fieldwork.office import Office, TurnContext
from survey.fieldwork.placement import (
    CLOCKS_APART,
    SeenCall,
    note_accepted,
    note_asked,
    note_called_off,
    note_rejected,
    note_unknown,
    note_unreadable,
    prepare_call_off,
    reconcile,
)
from survey.fieldwork.recordings import (
    FetchOrder,
    announce_recording,
    note_absent,
    note_deleted,
    note_fetch_problem,
    note_kept,
    prepare_fetch,
)
from survey.fieldwork.settlement import LATE_TURN_GRACE, settle
from survey.fieldwork.statuses import apply_machine, apply_status, report
from survey.fieldwork.suppressions import is_suppressed, opt_out
from survey.fieldwork.turns import Render, lead_back, take_turn
from survey.fieldwork.watch import watch

__all__ = [
    "CLOCKS_APART",
    "LATE_TURN_GRACE",
    "Asked",
    "DialOrder",
    "Early",
    "FetchOrder",
    "Office",
    "Render",
    "SeenCall",
    "Spoken",
    "TurnContext",
    "announce_recording",
    "apply_incoming_status",
    "apply_machine",
    "apply_status",
    "asked_at",
    "book",
    "change_limits",
    "change_pace",
    "claim_due",
    "escalate",
    "finish_if_done",
    "holds",
    "is_suppressed",
    "launch",
    "lead_back",
    "look_ahead",
    "note_absent",
    "note_accepted",
    "note_asked",
    "note_broken",
    "note_called_off",
    "note_deleted",
    "note_fetch_problem",
    "note_hearing",
    "note_kept",
    "note_rejected",
    "note_unknown",
    "note_unreadable",
    "opt_out",
    "pause",
    "prepare_call_off",
    "prepare_dial",
    "prepare_fetch",
    "recognise",
    "reconcile",
    "report",
    "resume",
    "reviews",
    "rules_of",
    "settle",
    "start",
    "stop",
    "take_turn",
    "take_up",
    "watch",
]
