"""The settings of what people do with dissatisfaction: orders to the units, the desk, notices. A part of `config.settings.Settings`."""

from dataclasses import dataclass
from datetime import time
from pathlib import Path

from config import readers
from config.setting_rows import row


@dataclass(frozen=True)
class CaseworkSettings:
    """Orders and their deadlines, the desk's patience, and how notices leave the console."""

    order_days: int = row(
        "5", readers.whole(1, 60), "交办单办理期限（工作日）", "Working days that a unit has to answer an order",
    )  # fmt: skip
    extension_days: int = row(
        "5", readers.whole(1, 60), "一次延期最多的工作日数", "Working days by which a deadline may be extended at most",
    )  # fmt: skip
    order_returns: int = row(
        "2", readers.whole(0, 9), "交办单最多退回重办的次数，其后转督办", "How often an order goes back before it is supervised",
    )  # fmt: skip
    order_review: bool = row(
        "no", readers.yes_no, "交办单由人工审核后下发，而非自动下发", "Whether a person issues each order, instead of the program",
    )  # fmt: skip
    weekly_list_day: int = row(
        "1", readers.whole(1, 7), "每周逾期清单的日子：1 为周一，7 为周日", "Day of the weekly list of overdue orders: 1 is Monday",
    )  # fmt: skip
    office_hours: tuple[time, time] = row(
        "08:30-18:00", readers.hours, "向各单位发提醒的办公时间", "Hours within which offices are reminded of their orders",
    )  # fmt: skip
    order_template: Path | None = row(  # noqa: RUF009
        "", readers.path,
        "本单位交办单模板（DOCX，见 ./huifang order template）；留空用自带模板",
        "The bureau's own template of the order (DOCX, see ./huifang order template); empty: the shipped one",
    )  # fmt: skip
    desk_offer_seconds: int = row(
        "20", readers.whole(5, 120), "转人工来电先只向空闲值班员提示的秒数", "Seconds for which a call is offered to free operators alone",
    )  # fmt: skip
    desk_wait_seconds: int = row(
        "60", readers.whole(10, 600), "群众等候值班员最长的秒数，其后登记回电", "Seconds a person waits for an operator at most",
    )  # fmt: skip
    desk_ring_seconds: int = row(
        "20", readers.whole(5, 60), "值班员电话振铃的秒数，其后转给他人", "Seconds an operator's telephone rings before others are asked",
    )  # fmt: skip
    desk_wrap_seconds: int = row(
        "120", readers.whole(30, 1800), "值班员话后整理的秒数", "Seconds an operator has to sort a call out",
    )  # fmt: skip
    duty_desk_number: str = row(
        "", readers.text, "指挥大厅派警电话，群众可能有危险时显示给值班员；留空不显示",
        "Telephone of the duty desk that sends officers, shown to operators where somebody may be in danger; empty: not shown",
    )  # fmt: skip
    mail_host: str = row(
        "", readers.host, "发送通知的邮件服务器；留空不发邮件", "Mail server for notices about orders; empty: no e-mail is sent",
    )  # fmt: skip
    mail_port: int = row("587", readers.whole(1, 65535), "邮件服务器端口", "Port of the mail server")
    mail_tls: str = row(
        "starttls", readers.one_of("starttls", "tls", "none"),
        "邮件加密：starttls（常用端口 587）、tls（常用端口 465）或 none",
        "TLS to the mail server: starttls (mostly 587), tls (mostly 465) or none",
    )  # fmt: skip
    mail_user: str = row("", readers.text, "邮件服务器用户名；留空不登录", "User at the mail server; empty: no log-in")
    mail_password: str = row("", readers.text, "邮件服务器密码", "Password at the mail server", secret=True)
    mail_sender: str = row("", readers.email, "发件地址", "Sender's address of the e-mails")
    notice_url: str = row(
        "", readers.url("http", "https"),
        "接收通知的 Webhook 地址（生产须 https）；留空不发送", "URL to which notices are posted (https in production); empty: none are",
    )  # fmt: skip
    notice_secret: str = row(
        "", readers.text, "通知签名（HMAC-SHA256）的密钥", "Secret that signs posted notices (HMAC-SHA256)", secret=True
    )
    notice_ca: Path | None = row(  # noqa: RUF009
        "", readers.path, "邮件服务器与 Webhook 证书的签发机构（PEM），仅内部机构签发时需要",
        "PEM file of the authority behind the certificates of mail server and web-hook, where it is the bureau's own",
    )  # fmt: skip
