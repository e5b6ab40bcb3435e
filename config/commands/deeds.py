"""What a command that leaves an entry in the audit trail asks and knows: the reason, and who works at this shell."""

import getpass

import click

REASON = click.option("--reason", required=True, help="原因，记入审计 / reason, for the audit trail.")


def myself() -> str:
    """Who works at this shell, for the audit trail."""
    try:
        return f"cli:{getpass.getuser()}"[:64]
    except (KeyError, OSError):  # a container knows no names
        return "cli"
