"""Models that were put in place, as whoever uses them finds them."""

from pathlib import Path

CURRENT = "current"
"""The link to the version in use, in a language's folder."""


def active(folder: Path) -> Path | None:
    """The model in use below a language's folder, or None."""
    link = folder / CURRENT
    return link.resolve() if link.is_dir() else None


def takes_phrases(model: Path) -> bool:
    """Whether the model can be told which phrases to expect: only those can whose graph is put together while they listen."""
    return any((folder / "HCLr.fst").is_file() for folder in (model / "graph", model))
