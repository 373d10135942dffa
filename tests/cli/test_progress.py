"""A bar for whatever takes long."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from user360.cli import output, progress


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What a terminal of 100 columns was written."""
    written = io.StringIO()
    console = Console(file=written, force_terminal=True, width=100, color_system=None)
    monkeypatch.setattr(output, "console", lambda **_: console)
    return written


def test_it_shows_how_far_how_fast_and_how_long(terminal: io.StringIO) -> None:
    with progress.bar("Loading") as reached:
        for done in (2_000, 5_000, 10_000):
            reached(done, 10_000)
    last = [line for line in terminal.getvalue().splitlines() if "Loading" in line][-1]
    assert "100%" in last
    assert "/s" in last
    assert "0:00:00" in last


def test_nothing_is_drawn_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.bar("Loading") as reached:
        reached(1, 2)
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", "")
