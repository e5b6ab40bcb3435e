"""The words for notices and how they travel."""

from flask_babel import lazy_gettext as _l

from ivr.console.words import BAD, BUSY, CARE, GOOD, QUIET, Tag

KINDS = {
    "unsigned": Tag(_l("尚未签收"), "!", CARE), "leader": Tag(_l("请督促签收"), "!!", BAD), "urge": Tag(_l("催办"), "!", CARE),
    "eve": Tag(_l("即将到期"), "!", CARE), "overdue": Tag(_l("已逾期"), "!!", BAD), "weekly": Tag(_l("每周清单"), "≡", BUSY),
}  # fmt: skip
CHANNELS = {"file": _l("清单文件"), "mail": _l("电子邮件"), "webhook": _l("Webhook")}
STATES = {
    "waiting": Tag(_l("待发"), "○", QUIET), "sent": Tag(_l("已发出"), "✓", GOOD), "failed": Tag(_l("未送达"), "✗", BAD),
    "dropped": Tag(_l("不再发送"), "–", QUIET),
}  # fmt: skip
AGAIN = Tag(_l("稍后重试"), "↻", CARE)
UNREAD, READ = Tag(_l("未读"), "●", BUSY), Tag(_l("已读"), "✓", QUIET)
CENTRE, FOLDER = _l("指挥中心"), _l("数据文件夹")


def kind_of(word: str) -> Tag:
    """The tag of a kind of notice; one of a newer release is shown as it is."""
    return KINDS.get(word, Tag(word, "·", QUIET))
