"""Who is calling: the words and the number that prompts and sheets give for the house itself."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Bureau:
    """The police bureau that asks.

    `hotline` is spoken at the end of a call, `callback_days` are the working days within which a person
    calls back, `zone` is the IANA name of the bureau's own time zone, `emergency` is the number to dial in danger,
    `duty_desk` that at which officers are sent, for operators alone; empty where none is given.
    """

    name: str
    name_en: str
    hotline: str
    callback_days: int
    zone: str
    emergency: str = "110"
    duty_desk: str = ""

    @property
    def tzinfo(self) -> ZoneInfo:
        """The bureau's time zone."""
        return ZoneInfo(self.zone)
