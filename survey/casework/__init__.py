"""Use cases of orders 《接处警电话回访交办单》, in the order that one lives through them.

tickets (the human queue) → issuing → handling (the unit) → supervision (the centre) → recalls (the second call), with reminders, their
delivery and the weekly list, attachments and accountability beside them, views for who reads, and the on-site register. What an order
may become is decided in `survey.orders`.
Each takes the caller's session and `now`; nobody here commits or looks at a clock.
"""

from survey.casework.accountability import decide_accountability, open_accountability
from survey.casework.attachments import SealedFile, attach, file_name, keep_file, kind_of, known_files, permit_reading, read_file
from survey.casework.changes import Overtaken, found, standing_of
from survey.casework.delivering import (
    CHANNELS,
    Dispatch,
    address,
    due_deliveries,
    note_delivered,
    note_delivery_problem,
    prepare_delivery,
    send_again,
    unaddressed,
    watch_channels,
)
from survey.casework.handling import answer, appeal, ask_extension, may_answer, sign, take_in_hand
from survey.casework.issuing import Issued, issue, issue_due, may_issue
from survey.casework.numbering import number_text
from survey.casework.recalls import Recalled, recall_due
from survey.casework.register import REGISTER_STATES, enter
from survey.casework.reminding import note_sent, reminders
from survey.casework.supervision import (
    begin_recall,
    close,
    decide_appeal,
    decide_extension,
    note_recall,
    reassign,
    return_,
    supervise,
    void,
)
from survey.casework.urging import may_urge, urge
from survey.casework.views import Contact, OrderView, disclose_contact, order_view
from survey.casework.weekly import ALL_UNITS, INSPECTION, WeeklyList, weekly_list
from survey.store.queries.orders import cases_without_order
from survey.store.queries.recalls import RecallView, recalls_of

__all__ = [
    "ALL_UNITS",
    "CHANNELS",
    "INSPECTION",
    "REGISTER_STATES",
    "Contact",
    "Dispatch",
    "Issued",
    "OrderView",
    "Overtaken",
    "RecallView",
    "Recalled",
    "SealedFile",
    "WeeklyList",
    "address",
    "answer",
    "appeal",
    "ask_extension",
    "attach",
    "begin_recall",
    "cases_without_order",
    "close",
    "decide_accountability",
    "decide_appeal",
    "decide_extension",
    "disclose_contact",
    "due_deliveries",
    "enter",
    "file_name",
    "found",
    "issue",
    "issue_due",
    "keep_file",
    "kind_of",
    "known_files",
    "may_answer",
    "may_issue",
    "may_urge",
    "note_delivered",
    "note_delivery_problem",
    "note_recall",
    "note_sent",
    "number_text",
    "open_accountability",
    "order_view",
    "permit_reading",
    "prepare_delivery",
    "read_file",
    "reassign",
    "recall_due",
    "recalls_of",
    "reminders",
    "return_",
    "send_again",
    "sign",
    "standing_of",
    "supervise",
    "take_in_hand",
    "unaddressed",
    "urge",
    "void",
    "watch_channels",
    "weekly_list",
]
