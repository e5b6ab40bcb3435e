"""What `doctor` says of notices: which channels are set up, whether the mail server lets us in, whom nothing can reach."""

from collections.abc import Iterator
from contextlib import suppress

from sqlalchemy.exc import SQLAlchemyError

from config import channels
from config.doctor_operation import is_there
from config.findings import GOOD, WARNING, Finding
from config.wiring import House
from ivr.notices.base import DeliveryFailed
from survey.store.database import reading, session_factory
from survey.store.queries import notices as queries

TEST = "./huifang notices test --to <邮箱/address>"


def notices(house: House) -> Iterator[Finding]:
    """Notices in the console and lists as files need nothing; e-mail and web-hook are looked at where they are set up."""
    given = house.settings
    if not given.mail_host and not given.notice_url:
        yield Finding(GOOD, "notices", "只在控制台和 lists 文件夹 / in the console and the folder `lists` alone")
    if given.notice_ca is not None and not given.notice_ca.is_file():
        remedy = "检查 HUIFANG_NOTICE_CA / check HUIFANG_NOTICE_CA"
        yield Finding(WARNING, "notices", f"没有文件 {given.notice_ca} / there is no file {given.notice_ca}", remedy)
    yield from _mail(house)
    if given.notice_url:
        yield Finding(GOOD, "webhook", f"{given.notice_url}：试发 / try it: ./huifang notices test")


def _mail(house: House) -> Iterator[Finding]:
    found = channels.mail(house.settings)
    if found is None:
        return
    where = f"{found.server.host}:{found.server.port} ({found.server.tls})"
    try:
        found.probe()
    except DeliveryFailed as failure:
        yield Finding(WARNING, "mail", f"{where}：{failure.problem.sentence}", failure.problem.remedy)
    else:
        yield Finding(GOOD, "mail", f"{where}：试发 / try it: {TEST}")
    yield from _unreached(house)


def _unreached(house: House) -> Iterator[Finding]:
    """Units that have no address: their reminders stand in the console alone."""
    if not is_there(house):
        return
    with suppress(SQLAlchemyError), session_factory(reading(house.engine))() as session:
        units, reached = queries.offices(session)
        if reached < units:
            told = f"{units} 个单位中 {units - reached} 个没有邮箱 / {units - reached} of {units} units have no e-mail address"
            yield Finding(WARNING, "mail", told, "控制台：单位名册 → 通知邮箱 / console: Units → Address for notices")
