"""The ledger's schema, as the steps that led to it (Alembic)."""
