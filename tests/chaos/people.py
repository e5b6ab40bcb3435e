"""People to be called: a made-up month, drawn and launched in a house."""

from pathlib import Path

from sqlalchemy import update

from config.commands.incidents import read_mapping
from config.wiring import House
from survey import drawing, fieldwork, scripting
from survey.contact_rules import Rules
from survey.incidents import importing, made_up
from survey.store.models import Respondent
from tests.calls.stage import ROOT

MONTH = "2026-02"
SCRIPT = ROOT / "config" / "scripts" / "callback-zh.yaml"
INCIDENTS_PER_PERSON = 2.6
"""So many incidents of the made-up month are needed for each person drawn: numbers are missing, cases are sensitive."""


def launch(house: House, people: int, seed: int, rules: Rules) -> int:
    """Import, draw and start a campaign of so many people; its id."""
    path = Path(house.data) / "incidents.csv"
    made_up.write_month(path, MONTH, seed, max(400, int(people * INCIDENTS_PER_PERSON)))
    intake = importing.Intake(house.sessions, house.keys, house.audit_key, house.office.numbers, seed)
    now = house.clock.now()
    importing.import_incidents(intake, path, read_mapping(made_up.MAPPING), rejects=house.data / "rejected.csv", actor="test", now=now)
    with house.unit_of_work() as work:
        draw = drawing.draw_sample(
            work.session, MONTH, people, None, seed, now, "Asia/Shanghai", audit_key=house.audit_key, actor="test", quarantine_days=0,
        )  # fmt: skip
        script = scripting.publish(work.session, SCRIPT.read_text("utf-8"), "test", "test", now, house.audit_key)
        campaign = fieldwork.launch(
            work.session, house.office, draw, script, rules, now, name="chaos", lines=house.settings.concurrent_calls,
            calls_per_second=house.settings.calls_per_second, caller_id=house.settings.caller_id, simulated=True, by="test",
        )  # fmt: skip
        work.session.execute(update(Respondent).values(replicate=1))  # otherwise one person in doubt holds up the later replicates
        fieldwork.start(work.session, house.office, campaign, "test", now)
    return campaign.id
