"""The tables. Personal data lies only in columns ending in `_sealed` (see `sealing`); numbers are found by `phone_key`.

Times are UTC and timezone-aware in Python. `public_id` is the opaque identity used in URLs and bound into sealed values. Each module holds
the tables of one subject; whoever needs them imports them from here, so that all are known before any is used.
"""

from survey.store.models.base import Base, Id, UtcDateTime, table_of
from survey.store.models.calendar_days import CalendarDay
from survey.store.models.calls import Answer, CallAttempt, CarrierEvent, DispositionChange, Turn
from survey.store.models.campaigns import Campaign, Respondent, ScriptVersion
from survey.store.models.cases import Escalation, Suppression, TicketNote
from survey.store.models.desk import Duty, Offer, OperatorAnswer, Takeover
from survey.store.models.drafts import Draft
from survey.store.models.incidents import Draw, DrawnIncident, Incident, IncidentImport, Unit
from survey.store.models.notices import NoticeDelivery, NoticeReading
from survey.store.models.operation import Alarm, Hold, Lease
from survey.store.models.orders import (
    AccountabilityRecord,
    Notice,
    Order,
    OrderAppeal,
    OrderAttachment,
    OrderEvent,
    OrderExtension,
    OrderNumber,
    OrderReply,
    RegisterEntry,
)
from survey.store.models.people import AuditEntry, AuditHead, HalfLogin, LoginFailure, User, UserSession
from survey.store.models.recalls import Recall, RecallRound
from survey.store.models.recordings import Hearing, HearingReview, Recording, RemarkCode, Transcript, TranscriptCorrection

__all__ = [
    "AccountabilityRecord",
    "Alarm",
    "Answer",
    "AuditEntry",
    "AuditHead",
    "Base",
    "CalendarDay",
    "CallAttempt",
    "Campaign",
    "CarrierEvent",
    "DispositionChange",
    "Draft",
    "Draw",
    "DrawnIncident",
    "Duty",
    "Escalation",
    "HalfLogin",
    "Hearing",
    "HearingReview",
    "Hold",
    "Id",
    "Incident",
    "IncidentImport",
    "Lease",
    "LoginFailure",
    "Notice",
    "NoticeDelivery",
    "NoticeReading",
    "Offer",
    "OperatorAnswer",
    "Order",
    "OrderAppeal",
    "OrderAttachment",
    "OrderEvent",
    "OrderExtension",
    "OrderNumber",
    "OrderReply",
    "Recall",
    "RecallRound",
    "Recording",
    "RegisterEntry",
    "RemarkCode",
    "Respondent",
    "ScriptVersion",
    "Suppression",
    "Takeover",
    "TicketNote",
    "Transcript",
    "TranscriptCorrection",
    "Turn",
    "Unit",
    "User",
    "UserSession",
    "UtcDateTime",
    "table_of",
]
