"""User 360: one true record of each customer, and segments that are always up to date."""

from __future__ import annotations

__version__ = "0.1.0"
