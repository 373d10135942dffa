"""Reproducible benchmarks: every figure next to a floor or a peer measured in the same run."""

from __future__ import annotations
