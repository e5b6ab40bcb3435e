"""The sheet's words, Chinese and English side by side."""

from survey.report_rows import RANKED_FROM, SCORED_FROM

LANGUAGES = ("zh", "en")

ITEM_WORDS = {
    "speed": ("出警速度", "Speed"), "attitude": ("处警态度", "Attitude"), "outcome": ("处置结果", "Outcome"),
    "equipment": ("单警装备", "Equipment"), "appearance": ("警容风纪", "Appearance"),
}  # fmt: skip
SHORT_ITEM_WORDS = (("速度", "Speed"), ("态度", "Att."), ("结果", "Outc."), ("装备", "Equip."), ("警容", "Appear."))
SHORT_RATE_WORDS = {"strict": ("严格%", "Strict%"), "weighted": ("加权%", "Wtd%"), "broad": ("宽口径%", "Broad%")}
RATE_WORDS = {"strict": ("严格", "Strict"), "weighted": ("加权", "Weighted"), "broad": ("宽口径", "Broad")}
RATE_MEANINGS = {
    "strict": ("满意率（严格）=（非常满意+满意）÷有效答案", "strict = (very satisfied + satisfied) / valid answers"),
    "weighted": (
        "满意率（加权）=（非常满意×1+满意×1+一般×0.5）÷有效答案",
        "weighted = (very satisfied + satisfied + 0.5 × neutral) / valid answers",
    ),
    "broad": ("满意率（宽口径）=（非常满意+满意+一般）÷有效答案", "broad = (very satisfied + satisfied + neutral) / valid answers"),
}
SCALE_WORDS = (
    ("非常满意", "Very sat."), ("满意", "Satisfied"), ("一般", "Neutral"), ("不满意", "Dissat."), ("非常不满意", "Very dissat."),
)  # fmt: skip
STANDINGS = {
    "few": ("样本不足，不排名", "Too few, not ranked"),
    "suppressed": ("样本不足，不出分", "Too few, no score"),
}
POINTS_NOTE = (
    "分值 非常满意100、满意75、一般50、不满意25、非常不满意0；“说不清”与未答不计入均值，另计",
    "Points 100, 75, 50, 25, 0; “cannot say” and no answer stay out of the means and are counted apart",
)
RANKED_NOTE = (
    f"答访少于{SCORED_FROM}份不出分；少于{RANKED_FROM}份、但连同前两个月（同类数据）共达{RANKED_FROM}份的单位，按这三个月合计的考核均分排名，备注注明；"
    "仍不足的只列不排",
    f"No score below {SCORED_FROM} answers; a unit below {RANKED_FROM} that reaches {RANKED_FROM} with the two months before (same kind)"
    " is ranked by the assessed mean of all three, as remarked; else listed, not ranked",
)
WEIGHTED_NOTE = ("全局加权按各单位样框 N_h/r_h", "The bureau's weighted row weights units by their frame, N_h/r_h")
CHANGE_NOTE = (
    "较上月=本月总均分减上月总均分（同为真实或同为模拟），任一月无分则记“—”",
    "Change = total mean less last month's (real with real, simulated with simulated); a dash where either month has none",
)
ASSESSED_NOTE = (
    "总均分含全部评价；考核均分不含申诉成立而剔除的评价，名次以此为准。剔除的评价仍保存",
    "Total is of all ratings; assessed (Assd.) leaves out those taken out by upheld appeals, and rank goes by it. They stay stored",
)
INTERVALS_NOTE = (
    "区间：Wilson 95%，以人计（同一人的五个答案不独立），全局用有效样本量 n_eff",
    "Intervals: Wilson 95 % over persons (one person's five answers belong together), n_eff for the bureau",
)
RATES_NOTE = (
    "覆盖率=回访了结÷抽取；回应率 RR1=I÷(I+P+R+NC+O+UH+UO)；不满意=至少一项评为4或5的人数",
    "Coverage = closed / drawn; response RR1 = I/(I+P+R+NC+O+UH+UO); dissatisfied = persons with a 4 or 5 on any item",
)
ASKED_NOTE = (
    "要求好评%=回答“有人事先要求我给好评”的人数÷回答此题的人数（好评题n）",
    "Asked% = persons who say that they were asked beforehand for a good rating / persons who answered that question (Asked n)",
)
FRAME_NOTE = ("样框：本月可回访警情，一人一件", "Frame: the month's eligible incidents, one per person")


class Words:
    """Picks the Chinese or the English of a pair."""

    def __init__(self, language: str) -> None:
        self.index = LANGUAGES.index(language)

    def __call__(self, zh: str, en: str) -> str:
        return (zh, en)[self.index]
