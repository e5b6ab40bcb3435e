"""Reads a YAML node tree as `script_schema.json` describes it: one truth for editors, parser and error messages.

Knows the part of JSON Schema that the schema uses. Scalars arrive as the author wrote them (`no`, `0123` and `12:30` stay
text) and become numbers or booleans only where the schema wants them.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from importlib import resources
from typing import Any

from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from survey.script_issues import Issue, Path, Place, Severity

MISSING: Any = object()
NULL = "tag:yaml.org,2002:null"
SCHEMA: Mapping[str, Any] = json.loads(resources.files("survey").joinpath("script_schema.json").read_text("utf-8"))


@dataclass
class Reading:
    """What is found while a tree is read: the place of every value and all issues so far."""

    places: dict[Path, Place] = field(default_factory=dict)
    issues: list[Issue] = field(default_factory=list)
    seen: set[int] = field(default_factory=set)

    def report(self, rule: str, place: Place, zh: str, en: str) -> Any:
        """Note an error; returns MISSING so that a reader can end with it."""
        self.issues.append(Issue(*place, rule, Severity.ERROR, "", zh, en))
        return MISSING


def place_of(node: Node) -> Place:
    """Line and column of the node, from 1."""
    return node.start_mark.line + 1, node.start_mark.column + 1


def read(node: Node, reading: Reading) -> Any:
    """The tree as plain dicts, lists and scalars; what does not fit the schema is reported and left out."""
    return _read(node, SCHEMA, (), "CS02", reading)


def _read(node: Node, schema: Mapping[str, Any], path: Path, rule: str, reading: Reading) -> Any:
    schema = _resolved(schema)
    rule = schema.get("x-rule", rule)
    reading.places[path] = place_of(node)
    if isinstance(node, MappingNode | SequenceNode):
        if id(node) in reading.seen:
            return reading.report("CS01", place_of(node), "不支持锚点与别名（& *）", "anchors and aliases (& *) are not supported")
        reading.seen.add(id(node))
    if "oneOf" in schema:
        return _read_variant(node, schema, path, rule, reading)
    match schema.get("type", "string"):
        case "object":
            return _read_mapping(node, schema, path, rule, reading)
        case "array":
            return _read_sequence(node, schema, path, rule, reading)
    return _read_scalar(node, schema, rule, reading)


def _resolved(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" not in schema:
        return schema
    name = schema["$ref"].removeprefix("#/$defs/")
    return {**SCHEMA["$defs"][name], **{key: value for key, value in schema.items() if key != "$ref"}}


def _read_variant(node: Node, schema: Mapping[str, Any], path: Path, rule: str, reading: Reading) -> Any:
    variants = {variant["properties"]["type"]["const"]: variant for variant in map(_resolved, schema["oneOf"])}
    entries = {key.value: value for key, value in node.value} if isinstance(node, MappingNode) else {}
    kind = entries.get("type")
    reading.seen.discard(id(node))
    if not isinstance(kind, ScalarNode):
        known = "、".join(variants)
        return reading.report(rule, place_of(node), f"步骤缺少 type（{known}）", f"the step lacks a type ({', '.join(variants)})")
    if kind.value not in variants:
        return _unknown(kind, "类型", "type", kind.value, list(variants), rule, reading)
    return _read(node, variants[kind.value], path, rule, reading)


def _read_mapping(node: Node, schema: Mapping[str, Any], path: Path, rule: str, reading: Reading) -> Any:
    if not isinstance(node, MappingNode):
        hint = "；是否用了全角冒号“：”？" if isinstance(node, ScalarNode) and "：" in node.value else ""
        hint_en = "; is the colon a full-width one (：)?" if hint else ""
        return reading.report(
            "CS01" if hint else rule, place_of(node), f"这里应是“字段: 值”{hint}", f"expected fields with values{hint_en}"
        )
    known, found = schema["properties"], {}
    first: dict[str, int] = {}
    for key, value in node.value:
        name = key.value if isinstance(key, ScalarNode) else ""
        if name in first:
            zh = f"字段“{name}”重复（第{first[name]}行和第{place_of(key)[0]}行）"
            reading.report("CS01", place_of(key), zh, f"field {name!r} is given twice (line {first[name]} and {place_of(key)[0]})")
        elif name not in known:
            _unknown(key, "字段", "field", name, list(known), rule, reading)
        else:
            first[name] = place_of(key)[0]
            found[name] = _read(value, known[name], (*path, name), rule, reading)
            if isinstance(value, MappingNode | SequenceNode):
                reading.places[*path, name] = place_of(key)  # a block begins on the line after its name
    return _complete(node, schema, first, found, rule, reading)


def _complete(node: Node, schema: Mapping[str, Any], first: Mapping[str, int], found: dict[str, Any], rule: str, reading: Reading) -> Any:
    missing = [name for name in _required(schema, found) if name not in first]
    for name in missing:
        blamed = _resolved(schema["properties"][name]).get("x-rule", rule)
        reading.report(blamed, place_of(node), f"缺少字段“{name}”", f"field {name!r} is missing")
    if missing or any(value is MISSING for value in found.values()):
        return MISSING
    return found


def _required(schema: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """The fields that must be there; some only where another one has, or has not, a certain value."""
    also: Mapping[str, Any] = {}
    if "if" in schema:
        ((name, wanted),) = schema["if"]["properties"].items()
        also = schema.get("then" if found.get(name) == wanted["const"] else "else", {})
    return [*schema.get("required", ()), *also.get("required", ())]


def _read_sequence(node: Node, schema: Mapping[str, Any], path: Path, rule: str, reading: Reading) -> Any:
    if not isinstance(node, SequenceNode):
        return reading.report(rule, place_of(node), "这里应是列表（每项以“- ”开头）", "expected a list (each entry begins with '- ')")
    values = [_read(entry, schema["items"], (*path, index), rule, reading) for index, entry in enumerate(node.value)]
    least, most = schema.get("minItems", 0), schema.get("maxItems", len(values))
    if not least <= len(values) <= most:
        return reading.report(rule, place_of(node), f"应有{least}至{most}项", f"expected {least} to {most} entries")
    return MISSING if any(value is MISSING for value in values) else values


def _read_scalar(node: Node, schema: Mapping[str, Any], rule: str, reading: Reading) -> Any:
    if not isinstance(node, ScalarNode):
        return reading.report(rule, place_of(node), "这里应是一个值", "expected a single value")
    kinds = schema.get("type", "string")
    if node.tag == NULL:
        if "null" in kinds:
            return None
        zh = "这里缺少内容；# 与 * 请加引号"
        return reading.report(rule, place_of(node), zh, "a value is missing here; quote # and *")
    return _checked(node, schema, kinds if isinstance(kinds, str) else kinds[0], rule, reading)


def _checked(node: ScalarNode, schema: Mapping[str, Any], kind: str, rule: str, reading: Reading) -> Any:
    text = node.value
    options = schema.get("enum") or ([schema["const"]] if "const" in schema else None)
    if options and text not in options:
        return _unknown(node, "值", "value", text, options, rule, reading)
    match kind:
        case "boolean":
            if text not in ("true", "false"):
                return reading.report(rule, place_of(node), f"“{text}”应为 true 或 false", f"{text!r} must be true or false")
            return text == "true"
        case "integer" | "number":
            return _number(node, schema, kind, rule, reading)
    if not schema.get("minLength", 0) <= len(text.strip()) <= schema.get("maxLength", len(text)):
        most = schema.get("maxLength", "")
        return reading.report(rule, place_of(node), f"内容为空或超过{most}字", f"empty, or longer than {most} characters")
    if "pattern" in schema and not re.fullmatch(schema["pattern"], text):
        return reading.report(rule, place_of(node), f"“{text}”的写法不对", f"{text!r} is not of the form {schema['pattern']}")
    return text


def _number(node: ScalarNode, schema: Mapping[str, Any], kind: str, rule: str, reading: Reading) -> Any:
    whole = kind == "integer"
    pattern = r"[+-]?\d{1,9}" if whole else r"[+-]?\d{1,9}(\.\d{1,9})?"
    least, most = schema.get("minimum", -1e9), schema.get("maximum", 1e9)
    if re.fullmatch(pattern, node.value, re.ASCII) and least <= float(node.value) <= most:
        return int(node.value) if whole else float(node.value)
    zh = f"“{node.value}”应为{least}到{most}之间的{'整数' if whole else '数'}"
    return reading.report(rule, place_of(node), zh, f"{node.value!r} must be a{' whole' if whole else ''} number from {least} to {most}")


def _unknown(node: Node, zh: str, en: str, name: str, known: list[str], rule: str, reading: Reading) -> Any:
    near = get_close_matches(name, known, 1, 0.5)
    more_zh = f"，是否想写“{near[0]}”？" if near else f"，可用：{'、'.join(known)}"
    more_en = f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(known)}"
    return reading.report(rule, place_of(node), f"不认识的{zh}“{name}”{more_zh}", f"unknown {en} {name!r}{more_en}")
