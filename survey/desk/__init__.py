"""The desk: operators on duty take over calls of people who want a person (R33–R36, O1–O27).

duty (who is there) → offers (what happens by the clock) → takeovers (claim, steer, write down, sort out) → ringing (the operator's
telephone); callbacks (the operator calls the person). The person's side of a call is `survey.fieldwork.transfers` and
`survey.fieldwork.callbacks`. Each takes the caller's unit of work and `now`.
"""

from survey.desk import callbacks, duty, offers, ringing, takeovers
from survey.desk.offers import STEPS, give_up
from survey.desk.ringing import RingOrder, WayOn, Whisper
from survey.desk.takeovers import Taken, claim, decline, settle_danger, wish, wrap_up, write_answer
from survey.desk.views import Board, TakeoverView, board, own_call, view
from survey.desk.waits import Wait, wait_of
from survey.wrap_ups import WrapUp

__all__ = [
    "STEPS",
    "Board",
    "RingOrder",
    "Taken",
    "TakeoverView",
    "Wait",
    "WayOn",
    "Whisper",
    "WrapUp",
    "board",
    "callbacks",
    "claim",
    "decline",
    "duty",
    "give_up",
    "offers",
    "own_call",
    "ringing",
    "settle_danger",
    "takeovers",
    "view",
    "wait_of",
    "wish",
    "wrap_up",
    "write_answer",
]
