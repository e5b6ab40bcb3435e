"""The sheet as titled tables, with the words of one language: what all writers have in common."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from survey.disposition import OUTCOME_CLASSES
from survey.eligibility import Exclusion
from survey.intervals import Interval
from survey.rates import FORMULAS as RATE_FORMULAS
from survey.report import Sheet
from survey.report_rows import Row
from survey.sheet.tables import Block, Cell, Change, Column, Line, Points, Share, Span
from survey.sheet.words import (
    ASKED_NOTE,
    ASSESSED_NOTE,
    CHANGE_NOTE,
    FRAME_NOTE,
    INTERVALS_NOTE,
    ITEM_WORDS,
    POINTS_NOTE,
    RANKED_NOTE,
    RATE_MEANINGS,
    RATE_WORDS,
    RATES_NOTE,
    SCALE_WORDS,
    SHORT_ITEM_WORDS,
    SHORT_RATE_WORDS,
    STANDINGS,
    WEIGHTED_NOTE,
    Words,
)  # fmt: skip


def title(sheet: Sheet, language: str) -> str:
    """The sheet's own title with bureau and month."""
    word = Words(language)
    bureau = word(sheet.head.bureau, sheet.head.bureau_en)
    return f"{bureau} {word('《警情处置情况考核表》', 'Assessment of incident handling,')} {sheet.head.month}"


def marks(sheet: Sheet, language: str) -> tuple[str, ...]:
    """What must stand over the figures: simulated, provisional, mixed scripts."""
    word = Words(language)
    found = (
        (
            sheet.head.simulated,
            word("演示/模拟：以下数据来自模拟通话，不得用于考核", "SIMULATED: made by simulated calls, not for assessment"),
        ),
        (sheet.head.provisional, word("未完结：回访仍在进行，数字会变化", "Provisional: calling goes on, figures will change")),
        (len(sheet.head.scripts) > 1, word("本期使用了多个话术版本，比较时请注意", "More than one script version in this period")),
    )
    return tuple(text for holds, text in found if holds)


def blocks(sheet: Sheet, language: str) -> tuple[Block, ...]:
    """All tables of the sheet, the main one first. `language` is zh or en (ValueError otherwise)."""
    word = Words(language)
    makers = (_units, _satisfaction, _items, _appeals, _dispositions, _outcome_rates, _exclusions, _provenance)
    return tuple(make(sheet, word) for make in makers)


def _points(value: float | None) -> Points | None:
    return None if value is None else Points(value)


def _share(value: float | None) -> Share | None:
    return None if value is None else Share(value)


def _span(interval: Interval | None, percent: bool) -> Span | None:
    return Span(interval.low, interval.high, percent) if interval else None


def _name(row: Row, sheet: Sheet, word: Words) -> str:
    if row is sheet.weighted:
        return word("全局（加权）", "Bureau (weighted)")
    return word("全局（未加权）", "Bureau (unweighted)") if row is sheet.unweighted else row.unit


def _tone(row: Row) -> str:
    if row.standing in ("ranked", "rolling"):
        return "warning" if row.last_three else ""
    return "muted" if row.standing else "total"


def _all_rows(sheet: Sheet) -> tuple[Row, ...]:
    return (sheet.weighted, sheet.unweighted, *sheet.rows)


def _units(sheet: Sheet, word: Words) -> Block:
    items = [Column(word(*pair)) for pair in SHORT_ITEM_WORDS]
    rates = [Column(word(*pair)) for pair in SHORT_RATE_WORDS.values()]
    columns = (
        Column(word("单位", "Unit"), numeric=False), Column(word("样框", "Frame")), Column(word("抽取", "Drawn")),
        Column(word("答访", "n")), *items, Column(word("总均分", "Total")), Column(word("95%区间", "95% CI"), span=True),
        Column(word("较上月", "Change")), Column(word("考核均分", "Assd.")), *rates, Column(word("要求好评%", "Asked%")),
        Column(word("不满意", "Dissat.")), Column(word("转人工", "Queue")),
        Column(word("覆盖%", "Cover%")), Column(word("回应%", "RR1%")), Column(word("名次", "Rank")),
        Column(word("备注", "Remark"), numeric=False),
    )  # fmt: skip
    notes = (
        _summary(sheet, word),
        word(*FRAME_NOTE),
        word(*POINTS_NOTE),
        word(*CHANGE_NOTE),
        word(*ASSESSED_NOTE),
        word(*RANKED_NOTE),
        word(*WEIGHTED_NOTE),
    )
    lines = tuple(Line(_unit_cells(row, sheet, word), _tone(row)) for row in _all_rows(sheet))
    return Block("units", word("各单位得分", "Scores by unit"), columns, lines, notes)


def _summary(sheet: Sheet, word: Words) -> str:
    """Coverage, valid rate and response in one sentence, each with what it was divided by (C5, C6)."""
    row, counts = sheet.unweighted, sheet.counts
    interviews = counts.i + counts.p
    reached = interviews + counts.r + counts.o
    rates = {name: "—" if value is None else f"{100 * value:.1f} %" for name, value in asdict(sheet.outcome).items()}
    closed = round((row.coverage or 0) * row.drawn)
    return word(
        f"抽取 {row.drawn}，已了结 {closed}；接触 {reached}，答访 {interviews}，有效回访率 {rates['coop2']}；回应率 RR1 {rates['rr1']}",
        f"Drawn {row.drawn}, closed {closed}; reached {reached}, answered {interviews}, valid {rates['coop2']}; RR1 {rates['rr1']}",
    )


def _remark(row: Row, word: Words) -> str:
    """Last three, by which months a unit is ranked that is too small for one month, or why it is not ranked."""
    pieces = [word("后三位", "Last 3")] if row.last_three else []
    if row.rolling and row.rolling.total.mean is not None:
        mean, n = row.rolling.total.mean, row.rolling.answered
        pieces.append(word(f"近三月{mean:.1f}，n={n}", f"3 mo. {mean:.1f}, n {n}"))
    if row.standing in STANDINGS:
        pieces.append(word(*STANDINGS[row.standing]))
    return word("；", "; ").join(pieces)


def _unit_cells(row: Row, sheet: Sheet, word: Words) -> tuple[Cell, ...]:
    return (
        _name(row, sheet, word), row.frame, row.drawn, row.answered,
        *(_points(figure.score.mean) for figure in row.items),
        _points(row.total.mean), _span(row.total.interval, percent=False),
        None if row.change is None else Change(row.change), _points(row.assessed.mean),
        *(_share(row.rates[name].value) for name in RATE_WORDS),
        _share(row.asked_rate.value), row.dissatisfied, row.escalated, _share(row.coverage), _share(row.response),
        row.rank, _remark(row, word),
    )  # fmt: skip


def _satisfaction(sheet: Sheet, word: Words) -> Block:
    rates = [
        column
        for zh, en in RATE_WORDS.values()
        for column in (Column(word(f"{zh}%", f"{en}%")), Column(word(f"{zh}区间", f"{en} CI"), span=True))
    ]
    columns = (
        Column(word("单位", "Unit"), numeric=False), Column(word("答访", "n")), Column(word("有效答案", "Valid")),
        *rates, Column(word("覆盖%", "Cover%")), Column(word("回应%", "RR1%")), Column(word("好评题n", "Asked n")),
        Column(word("要求好评", "Yes")), Column(word("要求好评%", "Asked for good rating%")),
        Column(word("要求好评区间", "Asked CI"), span=True),
    )  # fmt: skip
    notes = (
        *(word(*meaning) for meaning in RATE_MEANINGS.values()),
        word(*INTERVALS_NOTE),
        word(*RATES_NOTE),
        word(*ASKED_NOTE),
    )
    lines = tuple(Line(_satisfaction_cells(row, sheet, word), _tone(row)) for row in _all_rows(sheet))
    return Block("satisfaction", word("满意率", "Satisfaction"), columns, lines, notes)


def _satisfaction_cells(row: Row, sheet: Sheet, word: Words) -> tuple[Cell, ...]:
    pairs = [(_share(row.rates[name].value), _span(row.rates[name].interval, percent=True)) for name in RATE_WORDS]
    rates = [cell for pair in pairs for cell in pair]
    asked = (row.asked.answered, row.asked.yes if row.shown else None, _share(row.asked_rate.value), _span(row.asked_rate.interval, True))
    return _name(row, sheet, word), row.answered, row.valid, *rates, _share(row.coverage), _share(row.response), *asked


def _items(sheet: Sheet, word: Words) -> Block:
    columns = (
        Column(word("单位", "Unit"), numeric=False), Column(word("项目", "Item"), numeric=False), Column(word("均分", "Mean")),
        Column(word("95%区间", "95% CI"), span=True), Column(word("有效", "Valid")), *(Column(word(*step)) for step in SCALE_WORDS),
        Column(word("说不清", "Cannot say")), Column(word("未答", "No answer")), Column(word("剔除", "Taken out")),
        Column(word("考核均分", "Assessed")),
    )  # fmt: skip
    lines = tuple(line for row in _all_rows(sheet) for line in _item_lines(row, sheet, word))
    return Block("items", word("分项明细", "Items"), columns, lines, (word("区间：t 95%", "Intervals: t, 95 %"),), long=True)


def _item_lines(row: Row, sheet: Sheet, word: Words) -> Iterator[Line]:
    for figure in row.items:
        scale = figure.scale if row.shown else (None,) * len(figure.scale)
        mean, span = _points(figure.score.mean), _span(figure.score.interval, percent=False)
        name = word(*ITEM_WORDS[figure.item])
        counted = (figure.valid, *scale, figure.unsure, figure.missing, figure.aside)
        yield Line((_name(row, sheet, word), name, mean, span, *counted, _points(figure.assessed.mean)), _tone(row))


def _appeals(sheet: Sheet, word: Words) -> Block:
    """The units with answers that upheld appeals took out, each with both means, and the bureau's (R53)."""
    items = [Column(word(*pair)) for pair in SHORT_ITEM_WORDS]
    columns = (
        Column(word("单位", "Unit"), numeric=False), Column(word("涉及人数", "Persons")), *items,
        Column(word("总均分", "Total")), Column(word("考核人数", "Assessed n")), Column(word("考核均分", "Assessed")),
    )  # fmt: skip
    rows = [row for row in sheet.rows if row.aside.people]
    waiting = word(f"待裁定的申诉 {sheet.appeals_waiting} 件", f"Appeals that wait for a decision: {sheet.appeals_waiting}")
    nothing = () if rows else (word("没有申诉成立而剔除的评价", "No rating was taken out on appeal"),)
    lines = tuple(Line(_appeal_cells(row, sheet, word), _tone(row)) for row in ((sheet.weighted, sheet.unweighted, *rows) if rows else ()))
    return Block("appeals", word("申诉剔除", "Taken out on appeal"), columns, lines, (*nothing, word(*ASSESSED_NOTE), waiting))


def _appeal_cells(row: Row, sheet: Sheet, word: Words) -> tuple[Cell, ...]:
    out = (figure.aside for figure in row.items)
    return _name(row, sheet, word), row.aside.people, *out, _points(row.total.mean), row.assessed_persons, _points(row.assessed.mean)


def _dispositions(sheet: Sheet, word: Words) -> Block:
    columns = (
        Column(word("代码", "Code"), numeric=False), Column(word("类", "Class"), numeric=False),
        Column(word("结果", "Disposition"), numeric=False), Column(word("人数", "Cases")),
    )  # fmt: skip
    lines = [Line((each.aapor, each.outcome_class, word(each.zh, each.en), count)) for each, count in sheet.dispositions]
    lines.append(Line(("", "", word("合计", "Total"), sheet.cases), "total"))
    classes = [f"{name} {word(*words)}" for name, words in OUTCOME_CLASSES.items()]
    notes = tuple(word("，", ", ").join(part) for part in (classes[:4], classes[4:]))
    return Block("dispositions", word("回访结果（AAPOR）", "Final dispositions (AAPOR)"), columns, tuple(lines), notes)


def _outcome_rates(sheet: Sheet, word: Words) -> Block:
    columns = (Column(word("比率", "Rate"), numeric=False), Column("%"), Column(word("公式", "Formula"), numeric=False))
    lines = tuple(
        Line((name.upper() if name != "e" else name, _share(value), RATE_FORMULAS[name])) for name, value in asdict(sheet.outcome).items()
    )
    counts = word("，", ", ").join(f"{name.upper()}={count}" for name, count in asdict(sheet.counts).items())
    return Block("outcome", word("结果比率", "Outcome rates"), columns, lines, (counts,))


def _exclusions(sheet: Sheet, word: Words) -> Block:
    columns = (Column(word("未入样框的原因", "Left out because"), numeric=False), Column(word("警情数", "Incidents")))
    lines = [Line((_exclusion(reason, word), count)) for reason, count in sheet.source.exclusions]
    lines.append(Line((word("样框", "Frame"), sheet.source.frame), "total"))
    lines.append(Line((word("本月警情合计", "Incidents of the month"), sheet.source.incidents), "total"))
    return Block("exclusions", word("样框与排除", "Frame and exclusions"), columns, tuple(lines))


def _exclusion(reason: str, word: Words) -> str:
    try:
        exclusion = Exclusion.from_word(reason)
    except KeyError:
        return reason
    return word(exclusion.zh, exclusion.en)


def _provenance(sheet: Sheet, word: Words) -> Block:
    head = sheet.head
    comma = word("，", ", ")
    scripts = comma.join(f"{script.name} v{script.number} ({script.digest[:12]})" for script in head.scripts)
    effect = "—" if sheet.design_effect is None else f"{sheet.design_effect:.4f} / {sheet.effective_n:.2f}"
    pairs = (
        (word("回访任务", "Campaigns"), comma.join(head.campaigns)),
        (word("连同比较的月份", "Earlier months used"), comma.join(sheet.earlier) or "—"),
        (word("话术版本", "Script versions"), scripts),
        (word("抽样种子", "Seed of the draw"), str(sheet.source.seed)),
        (word("样框校验值", "Digest of the frame"), sheet.source.digest),
        (word("设计效应 / 有效样本量", "Design effect / n_eff"), effect),
        (word("中途退出者的评分（不计）", "Scores of break-offs (not counted)"), str(sheet.break_off_answers)),
        (word("制表时间", "Issued"), head.issued_at.isoformat(timespec="seconds")),
        (word("审计链尾", "Head of the audit trail"), f"{head.audit_n} {head.audit_digest}".strip()),
        (word("本表校验值", "Digest of this sheet"), sheet.digest),
    )
    columns = (Column(word("依据", "Source"), numeric=False), Column(word("内容", "Value"), numeric=False))
    return Block("provenance", word("依据与校验", "Sources and checks"), columns, tuple(Line(pair) for pair in pairs))
