"""The accounts of the demonstration, one for each part that a newcomer can play, and what there is to try in it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from sqlalchemy import select

from config.demo_round import say
from config.wiring import House
from survey import accounts
from survey.accounts import own
from survey.store.models import Escalation, Respondent, Unit

ACCOUNTS = (("admin", "administrator", "管理员"), ("desk", "operator", "值班员"), ("chief", "commander", "指挥长"))
"""Those with which one may look on from the first second."""

ENGLISH_TITLES = {
    "operator": "Operator", "centre": "Command centre", "unit": "Responsible unit", "inspection": "Inspection",
    "commander": "Commander", "administrator": "Administrator",
}  # fmt: skip

DESK_TELEPHONE = "+8610099990010"
"""It rings in the browser where its page is open; else a simulated operator picks up and talks until the other side ends."""


@dataclass(frozen=True)
class Part:
    """An account, its role and title, and what to try with it, in both languages."""

    name: str
    role: str
    title: str
    zh: str
    en: str


PARTS = (
    Part("desk", "operator", "值班员", "先开值班电话再上岗，一分钟内有人等候", "open the desk phone, go on duty: soon somebody waits"),
    Part("centre", "centre", "指挥中心", "看队列，签发、催办交办单", "the queue; issue orders, watch deadlines"),
    Part("unit", "unit", "责任单位", "签收、办理、回复交办单", "sign for an order, reply to it"),
    Part("inspect", "inspection", "督察", "处理违纪反映", "alleged misconduct"),
    Part("chief", "commander", "指挥长", "月度报表、进度（只读）", "sheet and progress, reading only"),
    Part("admin", "administrator", "管理员", "账号、任务、审计", "accounts, campaigns, audit trail"),
)


def display_name(role: str, title: str, language: str) -> str:
    """How an account is called in a demonstration whose people speak the language."""
    return title if language == "zh" else ENGLISH_TITLES[role]


def make_accounts(house: House, language: str) -> dict[str, str]:
    """Make the accounts of the first second; the operator's telephone is one in the browser. Name to password."""
    now, office = house.clock.now(), house.office
    with house.unit_of_work() as work:
        made = {
            name: accounts.add_user(work.session, name, role, display_name(role, title, language), now) for name, role, title in ACCOUNTS
        }
        hand = accounts.Hand("desk", now, house.keys, house.audit_key, office.numbers)
        own.change_telephone(work.session, hand, DESK_TELEPHONE)
    return made


def add_parts(house: House, made: Mapping[str, str], unit: Unit, language: str) -> dict[str, str]:
    """Make the accounts of the other parts; that of the role `unit` acts for the unit. Name to password, of all."""
    now = house.clock.now()
    with house.unit_of_work() as work:
        codes = {"unit": unit.code}
        others = [part for part in PARTS if part.name not in made]
        more = {
            each.name: accounts.add_user(
                work.session, each.name, each.role, display_name(each.role, each.title, language), now, codes.get(each.role, "")
            )
            for each in others
        }
    return {**made, **more}


def busiest_unit(house: House) -> Unit:
    """The unit about which most people were dissatisfied and may be contacted, or else the first. Raises NoResultFound without any."""
    with house.sessions() as session:
        cases = session.execute(select(Respondent.unit_id, Escalation.reasons, Escalation.consent).join(Escalation.respondent)).all()
        counted = Counter(unit_id for unit_id, reasons, consent in cases if unit_id and "dissatisfied" in reasons and consent == "yes")
        ranked = [unit_id for unit_id, _ in sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))]
        wanted = select(Unit).where(Unit.id.in_(ranked[:1])) if ranked else select(Unit).order_by(Unit.id).limit(1)
        return session.scalars(wanted).one()


def tell(house: House, passwords: Mapping[str, str], unit: Unit, first_person: str) -> None:
    """Print who can be played, with password and what to try, and where the telephones are; `first_person` is the number called first."""
    settings = house.settings
    say(f"\n控制台 / console    http://{settings.console_host}:{settings.console_port}/   （Ctrl+C 停止 / stops）")
    phone = f"{settings.twilio_api_url}/phone"

    def phone_of(number: str) -> str:
        return f"{phone}?{urlencode({'number': number})}"

    say(f"模拟电话 / telephone {phone}   （在浏览器里打给本单位 / in the browser, call us: {settings.caller_id}）")
    say(f"值班电话 / desk phone {phone_of(DESK_TELEPHONE)}   （不开则由模拟座机接听 / not opened, a simulated one answers）")
    say(f"群众电话 / their phone {phone_of(first_person)}   （第一位群众，不开则自动作答 / first one called; else simulated）")
    local = house.clock.now().astimezone(house.office.bureau.tzinfo)
    say(f"时钟 / clock        {local:%Y-%m-%d %H:%M}   （页面顶部“下一工作日”：前进一天 / “Next working day” on each page moves it on）")
    say("角色 / parts        （换一角色请用无痕窗口登录 / log in as another part in a private window）")
    for part in PARTS:
        title = f"{part.title}（{unit.name}）" if part.role == "unit" else part.title
        say(f"                    {part.name:8}{passwords[part.name]}   {title} / {part.role}：{part.zh} / {part.en}")
