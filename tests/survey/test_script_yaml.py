"""The text of a script: YAML's traps, places of complaints, the canonical form, the schema as the one truth."""

import json
from dataclasses import fields

import pytest

from survey import script_shape, script_yaml
from survey.script import KINDS_OF_STEPS, ChooseStep, ConfirmStep, KeyPlan, Limits, RateStep, RecordStep, Understanding
from survey.script_issues import Issue, ScriptFaulty
from tests.survey.scripts import FOLLOWUPS, SHIPPED, text_of

ZH = "callback-zh.yaml"


def edited(old: str, new: str, name: str = ZH) -> str:
    """The shipped text with the first `old` replaced; fails if there is none."""
    text = text_of(name)
    assert old in text
    return text.replace(old, new, 1)


def line_of(text: str, words: str) -> int:
    """The line, from 1, on which `words` first stand."""
    return text[: text.index(words)].count("\n") + 1


def refusals(text: str) -> tuple[Issue, ...]:
    with pytest.raises(ScriptFaulty) as caught:
        script_yaml.parse(text)
    return caught.value.issues


@pytest.mark.parametrize("name", SHIPPED)
def test_the_shipped_scripts_are_read(name: str) -> None:
    script = script_yaml.parse(text_of(name))

    assert [step.item for step in script.steps if isinstance(step, RateStep)] == ["speed", "attitude", "outcome", "equipment", "appearance"]
    assert script.counterpart == script_yaml.parse(text_of(SHIPPED[1 - SHIPPED.index(name)])).name


@pytest.mark.parametrize("name", FOLLOWUPS)
def test_a_follow_up_script_has_no_scale_and_asks_its_two_questions(name: str) -> None:
    script = script_yaml.parse(text_of(name))

    assert (script.kind, script.scale) == ("followup", ())
    assert [step.item for step in script.steps if type(step) is ChooseStep] == ["put_right", "satisfied_now", "discipline"]
    assert script.counterpart == script_yaml.parse(text_of(FOLLOWUPS[1 - FOLLOWUPS.index(name)])).name


def test_a_survey_without_a_scale_is_no_script() -> None:
    text = text_of(FOLLOWUPS[0]).replace("kind: followup\n", "")

    assert [(issue.rule, issue.zh) for issue in refusals(text)] == [("CS12", "缺少字段“scale”")]
    assert [issue.rule for issue in refusals(text.replace("format:", "kind: survey\nformat:"))] == ["CS12"]


@pytest.mark.parametrize("names", [SHIPPED, FOLLOWUPS])
def test_both_languages_ask_the_same_in_the_same_order(names: tuple[str, str]) -> None:
    zh, en = (script_yaml.parse(text_of(name)) for name in names)

    assert [(step.id, type(step), step.when) for step in zh.steps] == [(step.id, type(step), step.when) for step in en.steps]
    assert [[choice.code for choice in getattr(step, "choices", ())] for step in zh.steps] == [
        [choice.code for choice in getattr(step, "choices", ())] for step in en.steps
    ]
    assert [(choice.key, choice.code, choice.score) for choice in zh.scale] == [
        (choice.key, choice.code, choice.score) for choice in en.scale
    ]


def test_no_stays_a_word() -> None:
    """YAML 1.1 would make it false."""
    step = script_yaml.parse(text_of(ZH)).question("right_person")

    assert isinstance(step, ConfirmStep)
    assert [choice.code for choice in step.choices] == ["yes", "no"]


def test_a_leading_zero_stays() -> None:
    """YAML 1.1 would make 0123 the number 83."""
    script = script_yaml.parse(edited("name: 接处警电话回访", "name: 0123"))

    assert script.name == "0123"


def test_a_time_of_day_stays() -> None:
    """YAML 1.1 would make 12:30 the number 750."""
    script = script_yaml.parse(edited("name: 接处警电话回访", "name: 12:30"))

    assert script.name == "12:30"


def test_an_unquoted_star_is_refused_with_its_place_and_the_remedy() -> None:
    text = edited('repeat: "*"', "repeat: *")
    [found] = refusals(text)

    assert (found.rule, found.line) == ("CS01", line_of(text, "repeat: *"))
    assert "加引号" in found.zh
    assert "quotes" in found.en


def test_an_unquoted_hash_is_refused_with_the_remedy() -> None:
    text = edited('keys: {back: "7"', "keys:\n  end_recording: #\n  back_to_front: {x: 1").replace("{x: 1, human", "{human")
    found = [issue for issue in refusals(text) if issue.line == line_of(text, "end_recording: #")]

    assert [issue.rule for issue in found] == ["CS02"]
    assert "#" in found[0].zh


def test_a_full_width_colon_is_refused_with_the_remedy() -> None:
    text = edited("    text: 现在不方便", "    text：现在不方便")
    found = refusals(text)

    assert {issue.rule for issue in found} == {"CS01"}
    assert (found[0].line, found[0].column) == (line_of(text, "text："), len("    text："))
    assert "全角冒号" in found[0].zh


def test_a_whole_mapping_with_full_width_colons_is_recognised() -> None:
    text = edited("understanding: {accept: 0.80, confirm: 0.55}", "understanding: accept：0.80")
    [found] = refusals(text)

    assert (found.rule, found.line) == ("CS01", line_of(text, "understanding:"))
    assert "全角冒号" in found.zh


def test_a_duplicate_key_is_refused_with_both_places() -> None:
    text = edited("after_human: end", "after_human: end\nafter_human: continue")
    [found] = refusals(text)
    line = line_of(text, "after_human: continue")

    assert (found.rule, found.line, found.column) == ("CS01", line, 1)
    assert str(line - 1) in found.zh


@pytest.mark.parametrize(
    ("text", "rule"),
    [("", "CS01"), ("just words", "CS02"), ("[]", "CS02"), ("a: [", "CS01"), ("a: \x07", "CS01"), ("[" * 5000, "CS01"),
     ("format: callscript/2", "CS02"), ("--- a\n--- b", "CS01"), ("a: &x [1]\nb: *x", "CS02")],
    ids=["empty", "words", "list", "open", "control", "deep", "format", "two documents", "nonsense"],
)  # fmt: skip
def test_what_is_no_script_is_refused(text: str, rule: str) -> None:
    assert rule in {issue.rule for issue in refusals(text)}


def test_aliases_are_refused() -> None:
    text = edited('  - {key: "2", code: satisfied', '  - &good {key: "2", code: satisfied')
    text = text.replace('  - {key: "3"', '  - *good\n  - {key: "3"', 1)

    assert "CS01" in {issue.rule for issue in refusals(text)}


def test_a_text_that_is_far_too_long_is_refused() -> None:
    assert refusals("a" * 300_000)[0].rule == "CS01"


def test_all_complaints_come_at_once_sorted_by_place() -> None:
    text = edited("    max_seconds: 60", "    max_second: 60").replace("after_human: end", "after_human: wait")
    found = refusals(text)

    assert [issue.line for issue in found] == sorted(issue.line for issue in found)
    assert {line_of(text, "after_human"), line_of(text, "max_second:")} <= {issue.line for issue in found}


def test_a_misspelt_field_is_answered_with_the_nearest_one() -> None:
    text = edited("    max_seconds: 60", "    max_second: 60")
    [found] = refusals(text)

    assert (found.rule, found.line, found.column) == ("CS02", line_of(text, "max_second:"), 5)
    assert "max_seconds" in found.zh
    assert "max_seconds" in found.en


def test_line_ends_unicode_form_and_byte_order_mark_do_not_change_the_digest() -> None:
    text = text_of("callback-en.yaml").replace("Hello", "Caf\u00e9")
    other = "\ufeff" + text.replace("\u00e9", "e\u0301").replace("\n", "\r\n") + "\r\n\r\n"

    assert script_yaml.canonical(other) == script_yaml.canonical(text)
    assert script_yaml.digest(other) == script_yaml.digest(text) == script_yaml.parse(text).digest
    assert script_yaml.digest(text + "# more") != script_yaml.digest(text)


def test_the_same_text_is_parsed_once() -> None:
    assert script_yaml.parse(text_of(ZH)) is script_yaml.parse(str(text_of(ZH)))


def test_the_schema_and_the_values_name_the_same_fields() -> None:
    """The schema is what the parser obeys; a field that only one of them knows would break at run time."""
    schema = script_shape.SCHEMA
    for kind, cls in KINDS_OF_STEPS.items():
        named = set(schema["$defs"][kind]["properties"]) - {"type"}
        assert named <= {field.name for field in fields(cls)}
        assert {field.name for field in fields(cls)} - named <= {"choices", "when", "next"}
    for name, cls in (("keys", KeyPlan), ("limits", Limits), ("understanding", Understanding)):
        assert set(schema["properties"][name]["properties"]) == {field.name for field in fields(cls)}


def test_the_schema_uses_only_words_that_the_reader_knows() -> None:
    known = {
        "$schema", "title", "description", "type", "additionalProperties", "required", "properties", "$defs", "$ref", "const", "enum",
        "items", "minItems", "maxItems", "minLength", "maxLength", "minimum", "maximum", "pattern", "oneOf", "x-rule",
        "if", "else",
    }  # fmt: skip

    def words(schema: object) -> set[str]:
        if not isinstance(schema, dict):
            return set()
        inner = [*schema.get("properties", {}).values(), *schema.get("$defs", {}).values(), *schema.get("oneOf", []), schema.get("items")]
        return set(schema).union(*map(words, inner))

    assert words(json.loads(json.dumps(script_shape.SCHEMA))) <= known


def test_the_item_of_a_question_is_its_id_unless_it_says_otherwise() -> None:
    script = script_yaml.parse(
        edited("  - id: interference\n    type: choose\n", "  - id: asked\n    type: choose\n    item: interference\n")
    )
    step = script.question("asked")

    assert isinstance(step, ChooseStep)
    assert step.item == "interference"


def test_the_number_of_seconds_is_a_whole_one_in_bounds() -> None:
    text = edited("    max_seconds: 60", "    max_seconds: 6.5")
    [found] = refusals(text)

    assert (found.rule, found.line) == ("CS02", line_of(text, "max_seconds: 6.5"))
    step = script_yaml.parse(edited("    max_seconds: 60", "    max_seconds: 45")).question("reason")
    assert isinstance(step, RecordStep)
    assert step.max_seconds == 45
