"""`user360 bench`: measure, in a checkout of the source."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import typer

import user360
from user360.errors import NotFound

PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True}


def bench(context: typer.Context) -> None:
    """Run the benchmarks, which are part of a checkout of the source; all options are theirs.

    Without a name it lists them.

    Examples:

        user360 bench

        user360 bench all
    """
    root = checkout()
    done = subprocess.run([sys.executable, "-m", "bench", *context.args], cwd=root, check=False)
    raise typer.Exit(done.returncode)


def checkout() -> Path:
    """The checkout this program runs from. Raises `NotFound` when it is installed otherwise."""
    root = Path(user360.__file__).resolve().parents[2]
    if not (root / "bench" / "__main__.py").exists():
        raise NotFound(
            "The benchmarks are not part of the installed package;"
            " get the source and run `make bench` there"
        )
    return root
