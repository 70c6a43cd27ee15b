"""The ledger: what ran when, each change with its reason, and who holds what; in SQLite or PostgreSQL."""

from tickerbook.runs.ledger.book import OPEN, Ledger
from tickerbook.runs.ledger.rows import Change, Outcome

__all__ = ["OPEN", "Change", "Ledger", "Outcome"]
