"""Whatever people typed about an order is shown without the name and number of its person (O35)."""

from survey.disclosure import UNREADABLE, open_field
from survey.fieldwork.office import Office
from survey.store.models import Incident
from survey.struck_out import Clean, cleaner

HIDDEN = ("reporter", "phone")


def hidden(office: Office, incident: Incident) -> tuple[str, ...]:
    """Name and number of the person who reported the incident, in clear."""
    opened = (open_field(office.keys, getattr(incident, f"{name}_sealed"), name, incident.public_id) for name in HIDDEN)
    return tuple(text for text in opened if text and text != UNREADABLE)


def cleaner_of(office: Office, incident: Incident) -> Clean:
    """Strikes the person's name and number out of a text, whoever has typed them in."""
    return cleaner(hidden(office, incident))
