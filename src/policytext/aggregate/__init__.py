"""Shares over time, with intervals."""
