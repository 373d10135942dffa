"""Seeing it run: logs without personal data, metrics, health."""
