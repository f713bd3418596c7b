"""Triggers that note changed rows in a table, whoever changes them."""
