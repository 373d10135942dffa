"""The builder: conditions as a form, and back, without loss."""

from __future__ import annotations
