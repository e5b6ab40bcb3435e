"""Why a notice could not be handed over: one table of words, each with its sentence and what to do about it. Pure."""

from dataclasses import dataclass

PROBLEMS: dict[str, tuple[str, str, str, str]] = {
    "refused": (
        "无法连接对方服务器", "the server cannot be reached",
        "检查主机名、端口和防火墙", "check host, port and firewall",
    ),
    "no_answer": (
        "对方服务器没有应答", "the server does not answer",
        "检查端口与加密方式是否匹配，网络是否通畅", "check that port and TLS mode go together, and the network",
    ),
    "tls": (
        "加密连接无法建立，或证书不受信任", "no trusted TLS connection could be made",
        "检查加密方式；内部证书须以 HUIFANG_NOTICE_CA 指明签发机构",
        "check the TLS mode; name the authority of an internal certificate by HUIFANG_NOTICE_CA",
    ),
    "login": (
        "邮件服务器拒绝登录", "the mail server refuses the log-in",
        "检查 HUIFANG_MAIL_USER 与 HUIFANG_MAIL_PASSWORD", "check HUIFANG_MAIL_USER and HUIFANG_MAIL_PASSWORD",
    ),
    "sender": (
        "邮件服务器拒绝发件地址", "the mail server refuses the sender",
        "检查 HUIFANG_MAIL_SENDER", "check HUIFANG_MAIL_SENDER",
    ),
    "recipient": (
        "邮件服务器拒绝收件地址", "the mail server refuses the recipient",
        "在账号或单位名册中更正邮箱", "correct the e-mail address of the account or unit",
    ),
    "server": (
        "邮件服务器拒绝接收", "the mail server refuses the message",
        "按其返回码查对方日志", "look up its code in that server's log",
    ),
    "http": (
        "接收方没有以 2xx 应答", "the receiver did not answer with 2xx",
        "检查 HUIFANG_NOTICE_URL、HUIFANG_NOTICE_SECRET 和对方日志",
        "check HUIFANG_NOTICE_URL, HUIFANG_NOTICE_SECRET and the receiver's log",
    ),
    "no_address": (
        "没有可用的邮箱地址", "there is no usable e-mail address",
        "在账号或单位名册中登记邮箱", "enter an e-mail address for the account or unit",
    ),
    "file": (
        "清单文件无法写入", "the list could not be written",
        "检查磁盘空间和数据文件夹的权限", "check the disk's room and the rights of the data folder",
    ),
    "off": (
        "此渠道未配置", "the channel is not set up",
        "见运维手册“通知与提醒”", "see “Notices and reminders” in the manual",
    ),
    "over": ("事项已了结或已过时", "the matter is over", "无需处理", "nothing is to be done"),
}  # fmt: skip
"""Word -> what happened, in Chinese and English; what to do, in Chinese and English."""


@dataclass(frozen=True)
class Problem:
    """A word of PROBLEMS, with the other side's own code where it gave one (SMTP or HTTP)."""

    word: str
    code: int | None = None

    @classmethod
    def parse(cls, text: str) -> "Problem":
        """What `str` has made of one."""
        word, _, code = text.partition(" ")
        return cls(word, int(code) if code.isdecimal() else None)

    def __str__(self) -> str:
        return self.word if self.code is None else f"{self.word} {self.code}"

    @property
    def sentence(self) -> str:
        """What happened, as “中文 / English”; a word of a newer release is shown as it is."""
        zh, en, _, _ = PROBLEMS.get(self.word, (self.word, self.word, "", ""))
        return f"{zh}{f'（{self.code}）' if self.code else ''} / {en}{f' ({self.code})' if self.code else ''}"

    @property
    def remedy(self) -> str:
        """What to do, as “中文 / English”."""
        _, _, zh, en = PROBLEMS.get(self.word, ("", "", "", ""))
        return f"{zh} / {en}" if zh else ""
