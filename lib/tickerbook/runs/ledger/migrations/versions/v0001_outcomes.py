"""Version 0001: batches, and what became of their runs."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "batches",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.Column("state", sa.String, nullable=False),
    )
    op.create_table(
        "outcomes",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("batch", sa.Integer, sa.ForeignKey("batches.id"), nullable=False, index=True),
        sa.Column("ticker", sa.String),
        sa.Column("notebook", sa.String, nullable=False),
        sa.Column("session", sa.Date, nullable=False),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("reused", sa.Boolean, nullable=False),
        sa.Column("seconds", sa.Float, nullable=False),
        sa.Column("failure", sa.String),
        sa.Column("key", sa.String, nullable=False, index=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
    )
