"""Prose with slots that code fills from facts."""
