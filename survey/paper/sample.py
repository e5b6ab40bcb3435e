"""Two made-up papers by which a template is tried before any order is printed: one of a long life, one just issued."""

from dataclasses import replace

from survey.paper.content import Paper, Rating, ReplyText, Step

_ITEMS = ("出警速度", "处警态度", "处置结果", "单警装备", "警容风纪")
_REPLY = ReplyText(
    "1", "2026年11月25日", "所长", "东环路", "属实", "民警原因", "批评教育", "已说明", "已改进", "unit", "2026年11月26日 09:00"
)

FULL = Paper(
    bureau="示范市公安局", number="2026-0001", year="2026", serial="1", state="已办结", unit="城东派出所",
    incident_number="J20261014000001", category="纠纷", occurred_at="2026年10月14日 14:00", officer="民警一",
    called_at="2026年11月23日 11:00", call_mode="按键", script="警情回访 v1",
    ratings=tuple(Rating(item, "不满意", "★") for item in _ITEMS), items="出警速度、处警态度", reasons="评价不满意",
    own_words="来得太慢。\n态度不好。", own_words_note="机器转写，置信度 92%", consent="同意责任单位联系", person_name="样例",
    person_number="+8610000000000", issued_at="2026年11月23日 12:00", issued_on="2026年11月23日", issued_by="centre",
    due_on="2026年11月30日（周一）", signed_at="2026年11月23日 13:00", signed_by="unit", replies=(_REPLY,), latest=_REPLY,
    returns="1", supervised="督办", extension="申请延期 2 个工作日，已批准", appeal="评价不实，申诉不成立",
    accountability="态度问题：批评教育", attachments="照片.jpg", recall="2026年11月27日 10:00 再次回访满意",
    closed_at="2026年11月27日 10:00", outcome="再次回访满意", archive_number="2026-0001",
    steps=(Step("2026年11月23日 12:00", "centre", "下发交办单", ""),), printed_at="2026年11月28日 09:00", printed_by="centre",
)  # fmt: skip
BARE = replace(
    FULL, officer="", own_words="当事人未陈述", own_words_note="", consent="不同意联系", person_name="不予提供", person_number="不予提供",
    signed_at="", signed_by="", replies=(), latest=ReplyText(), returns="0", supervised="", extension="", appeal="", accountability="",
    attachments="", recall="", closed_at="", outcome="", archive_number="", steps=(), state="已交办",
)  # fmt: skip
SAMPLES = (FULL, BARE)
