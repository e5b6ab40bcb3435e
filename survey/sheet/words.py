"""The sheet's words, Chinese and English side by side."""

LANGUAGES = ("zh", "en")

ITEM_WORDS = {
    "speed": ("出警速度", "Speed"), "attitude": ("处警态度", "Attitude"), "outcome": ("处置结果", "Outcome"),
    "equipment": ("单警装备", "Equipment"), "appearance": ("警容风纪", "Appearance"),
}  # fmt: skip
SHORT_ITEM_WORDS = (("速度", "Speed"), ("态度", "Attitude"), ("结果", "Outcome"), ("装备", "Equipment"), ("警容", "Appearance"))
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
    "few": ("样本不足，不排名", "Too few answers, not ranked"),
    "suppressed": ("样本不足，不出分", "Too few answers, no score"),
}
FRAME_NOTE = ("样框：本月可回访警情，一人一件", "Frame: the month's eligible incidents, one per person")


class Words:
    """Picks the Chinese or the English of a pair."""

    def __init__(self, language: str) -> None:
        self.index = LANGUAGES.index(language)

    def __call__(self, zh: str, en: str) -> str:
        return (zh, en)[self.index]
