"""Version 0002: every change of a run's state, the processes that run, and what they hold."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_MOVE = """
INSERT INTO runs (id, batch, ticker, notebook, session, key, state, changed_at, started_at, seconds, failure)
SELECT id, batch, coalesce(ticker, ''), notebook, session, key,
       CASE WHEN reused THEN 'unchanged' ELSE status END, started_at, started_at, seconds, failure
FROM outcomes
WHERE id IN (SELECT max(id) FROM outcomes GROUP BY batch, notebook, ticker)
"""
_TELL = """
INSERT INTO changes (run, state, at, why)
SELECT id, state, changed_at, 'before changes were kept' FROM runs
"""


def upgrade() -> None:
    """Outcomes become runs with one change each; whatever ran then is over."""
    _make_tables()
    op.execute(_MOVE)
    op.execute(_TELL)
    op.execute("UPDATE batches SET state = 'interrupted' WHERE state = 'running'")
    op.drop_table("outcomes")
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "SELECT setval(pg_get_serial_sequence('runs', 'id'), max(id)) FROM runs HAVING max(id) > 0"
        )


def _make_tables() -> None:
    op.create_table(
        "runners",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("host", sa.String, nullable=False),
        sa.Column("folder", sa.String, nullable=False),
        sa.Column("beat", sa.Integer, nullable=False),
        sa.Column("beaten_at", sa.DateTime(timezone=True), nullable=False),
        sqlite_autoincrement=True,
    )
    op.add_column("batches", sa.Column("runner", sa.Integer))
    op.create_table(
        "runs",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("batch", sa.Integer, sa.ForeignKey("batches.id"), nullable=False),
        sa.Column("ticker", sa.String, nullable=False),
        sa.Column("notebook", sa.String, nullable=False),
        sa.Column("session", sa.Date),
        sa.Column("key", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True)),
        sa.Column("seconds", sa.Float, nullable=False),
        sa.Column("failure", sa.String),
        sa.UniqueConstraint("batch", "notebook", "ticker", name="runs_once"),
        sqlite_autoincrement=True,
    )
    op.create_index("runs_by_key", "runs", ["key"])
    op.create_index("runs_by_ticker", "runs", ["ticker", "id"])
    op.create_index("runs_by_state", "runs", ["state", "id"])
    op.create_table(
        "changes",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("run", sa.Integer, sa.ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("why", sa.String, nullable=False),
        sa.UniqueConstraint("run", "state", "at", name="changes_once"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "leases",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("runner", sa.Integer, sa.ForeignKey("runners.id"), nullable=False),
        sa.Column("run", sa.Integer),
    )
