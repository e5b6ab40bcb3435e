"""Mapping files: what is shipped works, what is wrong is named with its place."""

import csv
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from survey.eligibility import SENSITIVE, Exclusion, category_words
from survey.incidents.mapping_yaml import MappingFaulty, parse
from survey.incidents.months import busiest_month
from survey.phone import is_fictitious
from survey.store.models import Incident, Unit
from survey.store.sealing import place
from tests.conftest import ON_SQLITE_ALONE
from tests.survey.incidents.conftest import MAPPINGS, NOW

LEAST = """\
mapping: 1
name: least
zone: Asia/Shanghai
date_formats: [iso]
columns: {number: 编号, occurred_at: 时间, call_type: 类别, unit: 单位}
call_types:
  groups:
    - {category: theft, codes: [0911, yes, 12:30, 1e3]}
    - {category: suicide, codes: [S]}
    - {category: stalking, eligible: true, codes: [ST]}
    - {category: noise, exclude: invalid, codes: [N]}
"""


@pytest.fixture(scope="module")
def san_diego():
    return parse((MAPPINGS / "san-diego.yaml").read_text("utf-8"))


def issues(text):
    with pytest.raises(MappingFaulty) as faulty:
        parse(text)
    return faulty.value.issues


@pytest.mark.parametrize("path", sorted(MAPPINGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_shipped_mapping_is_sound_and_its_categories_have_words(path):
    mapping = parse(path.read_text("utf-8"))

    assert mapping.name == path.stem
    assert all(category_words(meaning.category)[0] != meaning.category for meaning in mapping.call_types.values())
    sensitive = [meaning for meaning in mapping.call_types.values() if meaning.category in SENSITIVE]
    assert sensitive
    assert all(meaning.exclusion is Exclusion.EXCLUDED_CATEGORY for meaning in sensitive)


def test_the_chinese_mapping_has_a_code_for_every_sensitive_category(chinese):
    assert {meaning.category for meaning in chinese.call_types.values()} >= set(SENSITIVE)


def test_codes_stay_the_text_that_stands_there():
    mapping = parse(LEAST)

    assert set(mapping.call_types) == {"0911", "yes", "12:30", "1e3", "S", "ST", "N"}


def test_sensitive_categories_are_left_out_unless_the_mapping_says_otherwise():
    types = parse(LEAST).call_types

    assert types["S"].exclusion is Exclusion.EXCLUDED_CATEGORY
    assert types["ST"].exclusion is None
    assert types["N"].exclusion is Exclusion.INVALID
    assert types["0911"].exclusion is None


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("zone: Asia/Shanghai", "zone: Mars/Olympus", 3, "time zone"),
        ("zone: Asia/Shanghai", "zone: ../etc", 3, "time zone"),
        ("name: least", "name: least\nname: again", 3, "twice"),
        ("name: least", "name: least\nnmae: x", 3, "unknown key"),
        ("date_formats: [iso]", 'date_formats: ["%H:%M"]', 4, "year"),
        ("number: 编号, ", "", 5, "missing"),
        ("unit: 单位}", "unit: 单位, wings: x}", 5, "unknown key"),
        ("codes: [S]", "codes: [S, N]", 11, "twice"),
        ("exclude: invalid", "exclude: quarantine", 11, "must be one of"),
        ("eligible: true", "eligible: maybe", 10, "must be one of"),
        ("mapping: 1", "mapping: 2", 1, "must be one of"),
        ("codes: [S]", "codes: {a: b}", 9, "must be a list"),
        ("name: least", "name: least\nclosed_after_minutes: soon", 3, "minutes"),
        ("name: least", "name: least\nfile: {code_page: klingon}", 3, "must be one of"),
        ("name: least", "name: least\nunit: {name: '{code.__class__}'}", 3, "{code}"),
        ("name: least", "name: least\nfictitious: {numbers: real}", 3, "must be one of"),
    ],
)
def test_a_fault_is_named_with_its_line_in_both_languages(old, new, line, words):
    found = issues(LEAST.replace(old, new))

    assert any(issue.line == line and words in issue.en and issue.zh and issue.column >= 1 for issue in found), found


def test_all_faults_are_told_at_once():
    assert len(issues(LEAST.replace("zone: Asia/Shanghai", "zone: X").replace("[iso]", '["%H"]').replace("invalid", "rude"))) == 3


@pytest.mark.parametrize("text", ["", "[1, 2]", "a: [", "x: \x01", "mapping: 1", "&a [*a]", "a: !!python/object:os.system x"])
def test_what_is_no_mapping_is_refused(text):
    assert issues(text)


@given(st.text(max_size=80))
def test_whatever_the_text_it_gives_a_mapping_or_a_list_of_faults(text):
    try:
        found = parse(text)
    except MappingFaulty as faulty:
        found = faulty.issues

    assert found


def test_the_san_diego_table_knows_every_code_of_the_citys_list(san_diego, shared):
    with (shared / "incident_data" / "san_diego_call_types.csv").open(encoding="utf-8-sig") as file:
        codes = {line["call_type"] for line in csv.DictReader(file)}

    assert codes <= set(san_diego.call_types)


@ON_SQLITE_ALONE
def test_the_san_diego_month_is_taken_in_whole(san_diego, shared, intake, bring_in):
    path = shared / "incident_data" / "san_diego_calls_2023_01.csv"

    report = bring_in(path, san_diego)

    with intake.sessions() as session:
        incidents = list(session.scalars(select(Incident)))
        beats = set(session.scalars(select(Unit.code)))
    numbers = [intake.keys.open(i.phone_sealed, place("incidents", "phone_sealed", i.public_id)) for i in incidents]
    reasons = Counter(incident.exclusion for incident in incidents)
    assert (report.counts.read, report.counts.new, report.counts.rejected) == (26_595, 26_595, 0)
    assert reasons["cancelled"] == 1938
    assert reasons["duplicate"] == 418
    assert sum(reasons.values()) == 26_595
    assert "-1" not in beats
    assert len(beats) == 125
    assert all(is_fictitious(number) for number in numbers)
    assert len(set(numbers)) == len(numbers)
    assert max(Counter(number[-2:] for number in numbers).values()) < 2 * 26_595 / 100
    assert all(incident.made_up and incident.zone == "America/Los_Angeles" for incident in incidents)
    assert all(incident.officer_sealed for incident in incidents if incident.unit_id)
    busiest = busiest_month(path, san_diego, intake.policy, NOW)
    assert busiest.name == "2023-01"
    assert 100 < len(busiest.units) < len(beats)


def test_officers_calls_are_told_from_citizens_calls(san_diego):
    types = san_diego.call_types

    assert {types[code].exclusion for code in ("T", "MPSSTP", "SELENF", "FD", "FU", "MTG", "INFO")} == {Exclusion.OFFICER_INITIATED}
    assert {types[code].exclusion for code in ("415DV", "187", "5150", "1146", "646", "RJ", "MJ")} == {Exclusion.EXCLUDED_CATEGORY}
    assert {types[code].exclusion for code in ("459R", "586", "415N", "MP", "LOST")} == {None}
    assert "1016P" in types
    assert "NOT DV" not in types
