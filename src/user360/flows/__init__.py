"""Flows: a bot that a business writes as a readable file, and what runs it."""
