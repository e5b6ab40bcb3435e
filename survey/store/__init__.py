"""Persistence, nothing else: tables, queries, unit of work, encryption at rest, the audit chain, migrations."""
