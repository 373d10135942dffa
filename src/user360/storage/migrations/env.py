"""Run by Alembic: opens the ledger named in the configuration and applies what is missing."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context

engine = sa.create_engine(
    context.config.get_main_option("sqlalchemy.url", ""), poolclass=sa.pool.NullPool
)
with engine.connect() as connection:
    context.configure(connection=connection, transactional_ddl=True)
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
