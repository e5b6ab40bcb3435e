"""The import use case: idempotent, complete, private."""

import dataclasses
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from survey.errors import NotAllowed
from survey.incidents import mapping_yaml
from survey.incidents.fictitious import fiction
from survey.incidents.importing import import_incidents
from survey.incidents.mapping import lay_out
from survey.incidents.readers import Row
from survey.incidents.records import Reading
from survey.phone import NumberPolicy
from survey.store import audit
from survey.store.models import AuditEntry, Incident, IncidentImport, Unit
from survey.store.sealing import place
from tests.survey.incidents.conftest import HEADERS, MAPPINGS, NOW, row


def incidents(intake):
    with intake.sessions() as session:
        return list(session.scalars(select(Incident).order_by(Incident.number)))


def only(intake):
    (incident,) = incidents(intake)
    return incident


def counts(report):
    return report.counts.read, report.counts.new, report.counts.known, report.counts.changed, report.counts.rejected


def test_a_good_line_becomes_an_incident(intake, bring_in, csv_file):
    report = bring_in(csv_file(row()))

    incident = only(intake)
    assert counts(report) == (1, 1, 0, 0, 0)
    assert report.rejects is None
    assert (incident.number, incident.category, incident.call_type, incident.exclusion) == ("2025030100001", "theft", "盗窃", None)
    assert incident.occurred_at.isoformat() == "2025-03-01T00:00:00+00:00"
    assert incident.closed_at.isoformat() == "2025-03-01T01:30:00+00:00"
    assert incident.zone == "Asia/Shanghai"
    assert not incident.made_up


def test_personal_data_is_sealed_to_its_row_and_found_by_keyed_hash(intake, bring_in, csv_file):
    bring_in(csv_file(row()))

    incident = only(intake)
    where = place("incidents", "phone_sealed", incident.public_id)
    assert intake.keys.open(incident.phone_sealed, where) == "+8613800138000"
    assert incident.phone_key == intake.keys.phone_key("+8613800138000")
    assert intake.keys.open(incident.reporter_sealed, place("incidents", "reporter_sealed", incident.public_id)) == "王芳"


def test_a_record_shows_no_personal_data_when_it_is_printed(chinese):
    layout, _ = lay_out(chinese, HEADERS)
    reading = Reading(chinese, layout, NumberPolicy(), fiction(1, "", ""), NOW)

    record, _ = reading.interpret(Row(2, row()))

    assert record.phone == "+8613800138000"
    assert not any(secret in repr(record) for secret in ("13800138000", "王芳"))


def test_the_same_file_twice_changes_nothing(intake, bring_in, csv_file):
    path = csv_file(row(), row(警情编号="2"))
    bring_in(path)
    before = [incident.phone_sealed for incident in incidents(intake)]

    report = bring_in(path)

    assert counts(report) == (2, 0, 2, 0, 0)
    assert [incident.phone_sealed for incident in incidents(intake)] == before


def test_a_corrected_file_updates_and_its_history_is_kept(intake, bring_in, csv_file):
    bring_in(csv_file(row(), row(警情编号="2")))

    report = bring_in(csv_file(row(处警单位="东湖派出所", 报警电话="13900139000"), row(警情编号="2")))

    incident = incidents(intake)[1]
    assert counts(report) == (2, 0, 1, 1, 0)
    assert incident.phone_key == intake.keys.phone_key("+8613900139000")
    with intake.sessions() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "incident.changed")).one()
        assert session.get(Unit, incident.unit_id).name == "东湖派出所"
    changed = json.loads(entry.details)
    assert entry.subject == f"incident:{incident.id}"
    assert set(changed) == {"unit_id", "phone"}
    assert "139" not in entry.details


def test_a_changed_mapping_changes_what_an_incident_means(intake, bring_in, csv_file, chinese):
    path = csv_file(row())
    bring_in(path)
    text = (MAPPINGS / "police-110-zh.yaml").read_text("utf-8").replace("{category: theft,", "{category: theft, exclude: invalid,")

    report = bring_in(path, mapping_yaml.parse(text))

    assert report.counts.changed == 1
    assert only(intake).exclusion == "invalid"


def test_every_import_leaves_one_audit_entry_and_its_counts(intake, bring_in, csv_file):
    bring_in(csv_file(row(), row(警情编号="")))

    with intake.sessions() as session:
        entry = session.scalars(select(AuditEntry)).one()
        run = session.scalars(select(IncidentImport)).one()
        assert list(audit.verify(session, intake.audit_key)) == []
    assert entry.action == "incidents.imported"
    assert json.loads(entry.details)["new"] == 1
    assert run.counts == {"read": 2, "new": 1, "known": 0, "changed": 0, "rejected": 1, "noted": 0}
    assert run.finished_at == NOW


def test_a_dry_run_counts_and_stores_nothing(intake, bring_in, csv_file):
    bring_in(csv_file(row()))

    report = bring_in(csv_file(row(报警人="李静"), row(警情编号="2"), row(警情编号="")), dry_run=True)

    assert counts(report) == (3, 1, 0, 1, 1)
    assert report.import_id is None
    assert len(incidents(intake)) == 1
    with intake.sessions() as session:
        assert session.scalar(select(func.count()).select_from(AuditEntry)) == 1


def test_the_first_of_two_lines_with_one_number_counts_and_the_other_is_rejected(intake, bring_in, csv_file, rejects):
    report = bring_in(csv_file(row(), row(警情类别="诈骗"), row()))

    assert counts(report) == (3, 1, 1, 0, 1)
    assert only(intake).category == "theft"
    (line,) = rejects()
    assert line["行号 Line"] == "3"
    assert "第 2 行" in line["原因"]


def test_a_repeat_is_found_across_batches(intake, bring_in, csv_file):
    rows = [row(警情编号=str(n)) for n in range(1, 2501)]

    report = bring_in(csv_file(*rows, row(警情编号="1", 警情类别="诈骗")))

    assert counts(report) == (2501, 2500, 0, 0, 1)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({}, None),
        ({"处理结果": "已撤警"}, "cancelled"),
        ({"处理结果": "重复报警"}, "duplicate"),
        ({"警情类别": "误拨"}, "invalid"),
        ({"处警单位": ""}, "invalid"),
        ({"报警电话": ""}, "no_number"),
        ({"报警电话": "未留"}, "no_number"),
        ({"报警电话": "110"}, "bad_number"),
        ({"报警电话": "0451-82340000"}, "bad_number"),
        ({"警情类别": "家庭暴力"}, "excluded_category"),
        ({"警情类别": "邻里纠纷（非家暴）"}, None),
        ({"警情类别": "家庭暴力", "报警电话": ""}, "no_number"),
        ({"警情类别": "家庭暴力", "处理结果": "已撤警"}, "cancelled"),
        ({"警情类别": "老人走失"}, None),
        ({"警情类别": "儿童走失"}, "excluded_category"),
    ],
)
def test_an_incident_keeps_exactly_the_first_reason_not_to_be_called(intake, bring_in, csv_file, changes, word):
    bring_in(csv_file(row(**changes)))

    assert only(intake).exclusion == word


@pytest.mark.parametrize(("age", "word"), [("17", "under_age"), ("13岁", "under_age"), ("18", None), ("", None), ("１７", "under_age")])
def test_minors_are_not_called(intake, bring_in, csv_file, age, word):
    bring_in(csv_file((*row(), age), headers=(*HEADERS, "年龄")))

    assert only(intake).exclusion == word


def test_a_bad_number_keeps_its_incident_and_is_listed_with_the_remedy(intake, bring_in, csv_file, rejects):
    report = bring_in(csv_file(row(报警电话="1.38001E+10")))

    (line,) = rejects()
    assert (report.counts.new, report.counts.noted, report.counts.rejected) == (1, 1, 0)
    assert only(intake).exclusion == "bad_number"
    assert line["行号 Line"] == "2"
    assert line["列 Column"] == "报警电话"
    assert line["值 Value"] == "1.38001E+10"
    assert "科学计数" in line["原因"]
    assert "文本" in line["办法"]
    assert line["Reason"].isascii()
    assert line["Remedy"].isascii()


def test_the_rejects_file_shows_only_the_last_four_of_a_number(bring_in, csv_file, rejects):
    bring_in(csv_file(row(报警电话="138001380009999"), row(警情编号="3", 报警时间="13900139000")))

    shown = [line["值 Value"] for line in rejects()]
    assert shown == ["***********9999", "*******9000"]


def test_the_rejects_file_holds_no_formula(bring_in, csv_file, rejects):
    bring_in(csv_file(row(警情类别="=HYPERLINK(1)")))

    (line,) = rejects()
    assert line["值 Value"] == "'=HYPERLINK(1)"


def test_numbers_and_officers_are_made_up_only_where_allowed(intake, csv_file, chinese, tmp_path):
    mapping = dataclasses.replace(chinese, made_up_numbers="cn", made_up_officers="zh")
    strict = dataclasses.replace(intake, policy=NumberPolicy(("CN",)))
    path = csv_file(row())

    with pytest.raises(NotAllowed):
        import_incidents(strict, path, mapping, rejects=tmp_path / "r.csv", actor="tester", now=NOW)
    assert incidents(intake) == []

    import_incidents(intake, path, mapping, rejects=tmp_path / "r.csv", actor="tester", now=NOW)
    incident = only(intake)
    number = intake.keys.open(incident.phone_sealed, place("incidents", "phone_sealed", incident.public_id))
    assert number.startswith("+86100")
    assert incident.made_up


def test_another_seed_does_not_change_what_is_known(intake, bring_in, csv_file, chinese):
    mapping = dataclasses.replace(chinese, made_up_numbers="cn", made_up_officers="zh")
    path = csv_file(row())
    bring_in(path, mapping)

    again = import_incidents(dataclasses.replace(intake, seed=8), path, mapping, rejects=path.with_suffix(".r"), actor="tester", now=NOW)

    assert again.counts.known == 1


def test_an_interrupted_import_is_taken_up_by_running_it_again(intake, bring_in, csv_file):
    path = csv_file(*[row(警情编号=str(n)) for n in range(1, 2501)])

    def pull_the_plug(counts):
        if counts.read == 2000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bring_in(path, progress=pull_the_plug)
    assert len(incidents(intake)) == 2000

    assert counts(bring_in(path)) == (2500, 500, 2000, 0, 0)


TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc", "Cf", "Zl", "Zp", "Co", "Cn")), max_size=12)
ROWS = st.lists(st.tuples(st.integers(1, 30), st.sampled_from(["盗窃", "诈骗", "不在表中", ""]), TEXT, TEXT,
                          st.sampled_from(["13800138000", "", "110", "１３９００１３９０００", "x"])), max_size=25)  # fmt: skip


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ROWS)
def test_whatever_is_in_the_file_the_counts_add_up_and_a_second_import_changes_nothing(bring_in, csv_file, drawn):
    rows = [row(警情编号=str(n), 警情类别=kind, 处警单位=unit, 报警人=name, 报警电话=number) for n, kind, unit, name, number in drawn]
    path = csv_file(*rows)

    first, second = bring_in(path), bring_in(path)

    for report in (first, second):
        tally = report.counts
        assert tally.read == len(rows) == tally.new + tally.known + tally.changed + tally.rejected
    assert (second.counts.new, second.counts.changed) == (0, 0)
