"""The roles of the console."""

ADMINISTRATOR, OPERATOR, CENTRE, INSPECTION, UNIT, COMMANDER, AUDITOR = ROLES = (
    "administrator", "operator", "centre", "inspection", "unit", "commander", "auditor",
)  # fmt: skip
DESK = (ADMINISTRATOR, OPERATOR, CENTRE)
"""Who works on calls and cases."""
