"""Ranking: named expressions that order a flat feed by score instead of time."""
