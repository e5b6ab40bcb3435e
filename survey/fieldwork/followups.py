"""The campaigns of the second call: who is called again after a unit's answer, by the same fieldwork as everybody (R51).

There is one for each survey campaign and round: a person has one place in a campaign, and what was answered in one round is never
overwritten by the next. It takes draw, month, contact rules, lines, pace, limits and the number shown from the survey campaign, so that
nothing needs to be set up and simulated people stay among themselves; it starts by itself, ends when nobody is left to be called, and goes
on when the next order is due.
"""

from datetime import datetime

from sqlalchemy.orm import Session

from survey import scripting
from survey.contact_rules import next_opening
from survey.fieldwork.campaigns import rules_of
from survey.fieldwork.office import Office
from survey.script import FOLLOWUP
from survey.store.models import Campaign, RecallRound, Respondent, ScriptVersion
from survey.store.queries import dialling
from survey.store.queries.recalls import newest_script, round_of
from survey.store.rows import read_again
from survey.working_days import CalendarMissing, calendar

BY = "system"
REASON = "随系统提供的复核话术 / the follow-up script as shipped"
LONGEST_NAME = 128


def enter(session: Session, office: Office, person: Respondent, number: int, now: datetime) -> Respondent | None:
    """Have the person of a survey called again, for the `number`-th time; due at the next opening of the calling hours.

    None where a person has stopped that round, or no follow-up script is there in the language of the survey.
    """
    dialling.one_at_a_time(session)  # before the campaign is locked: diallers take the two in this order
    campaign = _campaign(session, office, person.campaign, number, now)
    if campaign is None or not _goes_on(session, office, campaign, now):
        return None
    incident = person.incident
    called = Respondent(
        campaign_id=campaign.id, incident_id=incident.id, unit_id=person.unit_id, position=person.position, replicate=1, weight=1.0,
        phone_key=incident.phone_key, due_at=_first_due(campaign, incident.zone, now),
    )  # fmt: skip
    session.add(called)
    session.flush()
    return called


def _goes_on(session: Session, office: Office, campaign: Campaign, now: datetime) -> bool:
    """Whether people may enter the campaign; one that had come to its end goes on."""
    read_again(session, campaign, "state", "finished_at")
    if campaign.state == "finished":
        campaign.state, campaign.finished_at = "running", None
        office.record(session, now, BY, "campaign.reopen", f"campaign:{campaign.public_id}")
    return campaign.state != "stopped"


def _first_due(campaign: Campaign, zone: str, now: datetime) -> datetime:
    rules = rules_of(campaign)
    try:
        return next_opening(rules, calendar(rules.calendar), now, zone)
    except CalendarMissing:  # looked at again before the call, with an alarm
        return now


def _campaign(session: Session, office: Office, survey: Campaign, number: int, now: datetime) -> Campaign | None:
    known = round_of(session, survey.id, number)
    if known is not None:
        return known
    script = _script(session, office, survey.script_version.language, now)
    return None if script is None else _launch(session, office, survey, number, script, now)


def _script(session: Session, office: Office, language: str, now: datetime) -> ScriptVersion | None:
    """The newest follow-up script of the language; the shipped one is published where nobody has published any."""
    shipped = office.followups.get(language.partition("-")[0])
    published = newest_script(session, language)
    if published is not None or shipped is None:
        return published
    return scripting.publish(session, shipped, BY, REASON, now, office.audit_key)


def _launch(session: Session, office: Office, survey: Campaign, number: int, script: ScriptVersion, now: datetime) -> Campaign:
    campaign = Campaign(
        name=_name(survey.name, number), kind=FOLLOWUP, month=survey.month, draw_id=survey.draw_id, script_version_id=script.id,
        state="running", lines=survey.lines, calls_per_second=survey.calls_per_second, caller_id=survey.caller_id,
        rules=dict(survey.rules), simulated=survey.simulated, hourly_calls=survey.hourly_calls, daily_calls=survey.daily_calls,
        spend_limit=survey.spend_limit, minute_price=survey.minute_price, created_at=now, started_at=now,
    )  # fmt: skip
    session.add(campaign)
    session.flush()
    session.add(RecallRound(campaign_id=campaign.id, follows_id=survey.id, round=number))
    session.flush()
    details = {"follows": survey.public_id, "round": number, "script": script.digest}
    office.record(session, now, BY, "campaign.launch", f"campaign:{campaign.public_id}", **details)
    return campaign


def _name(survey: str, number: int) -> str:
    mark = "回访复核" if number == 1 else f"第{number}次回访复核"
    return f"{survey[: LONGEST_NAME - len(mark) - 1]}·{mark}"
