"""Alembic runs this file to apply revisions on the connection that `migrate` has opened."""

from alembic import context

from survey.store.models import Base

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
