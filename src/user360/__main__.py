"""`python -m user360`: the command line."""

from __future__ import annotations

from user360.cli import main

main()
