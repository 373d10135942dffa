"""Stored members follow the data and the clock."""
