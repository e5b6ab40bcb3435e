"""Which speech model each language has: installed here, named by a setting, or outside production the small one that ships."""

import filecmp
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from config.settings import ROOT, Settings
from speech.installed import active

LANGUAGES = ("zh", "en")
SHIPPED: Mapping[str, Path] = {language: ROOT / "speech" / "models" / f"{language}-small-own" for language in LANGUAGES}
"""Two very small models of our own making: good for synthetic callees, not for people."""

TRIALS: Mapping[str, Path] = {language: ROOT / "speech" / "models" / f"trial-{language}.wav" for language in LANGUAGES}
"""A few spoken words on which a model that is installed must show that it can be loaded and decodes."""


class Origin(Enum):
    """Where a model comes from."""

    INSTALLED = "installed"
    NAMED = "named"
    SHIPPED = "shipped"


@dataclass(frozen=True)
class Chosen:
    """A language's model: its folder, and why that one."""

    folder: Path
    origin: Origin

    @property
    def is_own(self) -> bool:
        """Whether it is one of the two that ship, or a copy of one: their acoustic parts tell."""
        acoustic = Path("am", "final.mdl")
        mine = self.folder / acoustic
        return mine.is_file() and any(filecmp.cmp(mine, path / acoustic, shallow=False) for path in SHIPPED.values())


def folder_of_models(settings: Settings) -> Path:
    """The folder below which `speech install` puts models, one folder a language."""
    return settings.data / "models"


def chosen(settings: Settings) -> dict[str, Chosen]:
    """The model of each language that has one."""
    found = {language: _choose(settings, language) for language in LANGUAGES}
    return {language: choice for language, choice in found.items() if choice}


def _choose(settings: Settings, language: str) -> Chosen | None:
    installed, named = active(folder_of_models(settings) / language), named_folder(settings, language)
    if installed:
        return Chosen(installed, Origin.INSTALLED)
    if named:
        return Chosen(named, Origin.NAMED) if named.is_dir() else None
    return None if settings.environment == "production" else Chosen(SHIPPED[language], Origin.SHIPPED)


def named_folder(settings: Settings, language: str) -> Path | None:
    """The folder that the language's setting names, there or not."""
    named = {"zh": settings.speech_model_zh, "en": settings.speech_model_en}[language]
    return Path(named) if named else None


def models(settings: Settings) -> dict[str, Path]:
    """Language -> folder of its model. A language that has none is answered by keys alone."""
    return {language: choice.folder for language, choice in chosen(settings).items()}
