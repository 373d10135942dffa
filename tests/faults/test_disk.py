"""A disk that is full, read-only, held by somebody else, or that holds something else."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from user360.clock import StillClock
from user360.errors import DirectoryInUse, StorageFailed
from user360.ingest import doctor
from user360.ingest.call import Call, Event
from user360.platform import Platform
from user360.settings import Settings

AT = 1_790_000_000_000_000
SMALL = Settings()


def opened(directory: Path, **how: Any) -> Platform:
    return Platform.open(directory, SMALL, StillClock(AT), **how)


def buy(platform: Platform, *numbers: int) -> list[Any]:
    calls = [
        Call(
            workspace=platform.default.id,
            source="api",
            ref="key:1",
            at=platform.now(),
            message_id=f"m{n}",
            user_id=f"u{n % 7}",
            event=Event("Purchase", {"note": os.urandom(300).hex()}, id=f"e{n}"),
        )
        for n in numbers
    ]
    return platform.settle(calls)


def bought(platform: Platform) -> int:
    sql = "SELECT count(*) FROM w1.events WHERE name = 'Purchase'"
    return int(platform.wait().query(sql).rows[0][0])


FILLING = """
    import resource, signal, sys
    from tests_of_disk import buy, opened
    from pathlib import Path
    from user360.errors import StorageFailed

    platform = opened(Path(sys.argv[1]))
    buy(platform, *range(100))
    platform.wait()
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), hard))
    answered, failed = 100, 0
    for start in range(1_000, 60_000, 100):
        try:
            buy(platform, *range(start, start + 100))
            answered += 100
        except StorageFailed as problem:
            failed += 1
            assert "cannot be used" in problem.detail, problem.detail
            if failed == 3:
                break
    assert failed == 3, "the disk was never full"
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    buy(platform, 100_000, 100_001)
    platform.close()
    print(answered + 2)
"""


@pytest.mark.parametrize("size", [1_500_000, 3_000_000])
def test_on_a_full_disk_calls_fail_plainly_and_go_on_when_there_is_room(
    tmp_path: Path, size: int
) -> None:
    (tmp_path / "tests_of_disk.py").write_text(Path(__file__).read_text())
    script = tmp_path / "filling.py"
    script.write_text(textwrap.dedent(FILLING))
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path / "data"), str(size)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    answered = int(done.stdout.split()[-1])
    with opened(tmp_path / "data") as platform:
        assert bought(platform) == answered
        assert doctor.examine(platform).findings == []
        assert {outcome.status for outcome in buy(platform, 1_000)} == {"duplicate"}


def test_a_directory_that_cannot_be_written_is_refused_plainly(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageFailed, match="cannot be made"):
        opened(tmp_path / "file" / "data")


@pytest.fixture
def read_only(tmp_path: Path) -> Any:
    """A filled directory on which nothing can be written, root or not."""
    with opened(tmp_path) as platform:
        buy(platform, 1)
    done = subprocess.run(["chattr", "-R", "+i", str(tmp_path)], check=False, capture_output=True)
    if done.returncode:
        tmp_path.chmod(0o500)
    yield tmp_path
    subprocess.run(["chattr", "-R", "-i", str(tmp_path)], check=False, capture_output=True)
    tmp_path.chmod(0o700)


def test_a_read_only_directory_is_refused_plainly(read_only: Path) -> None:
    if os.access(read_only, os.W_OK) and not_immutable(read_only):
        return  # nothing stops this user: there is nothing to see
    with pytest.raises(StorageFailed, match="cannot be"):
        opened(read_only)


def not_immutable(directory: Path) -> bool:
    try:
        (directory / "probe").touch()
    except OSError:
        return False
    (directory / "probe").unlink()
    return True


def test_a_held_directory_says_what_to_do(tmp_path: Path) -> None:
    with opened(tmp_path) as platform:
        buy(platform, 1)
        script = (
            "import sys\nfrom user360.errors import Problem\n"
            "from user360.platform import Platform\n"
            "try: Platform.open(sys.argv[1])\n"
            "except Problem as problem: print(problem.code, problem.detail)"
        )
        told = subprocess.run(
            [sys.executable, "-c", script, str(tmp_path)],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        assert told.startswith(DirectoryInUse.code)
        assert str(tmp_path) in told
        assert "use its API" in told
        buy(platform, 2)
        assert bought(platform) == 2
    with opened(tmp_path) as platform:
        assert bought(platform) == 2


@pytest.mark.parametrize("content", [b"this is a letter, not a database" * 200, b"\x00" * 8192])
def test_a_ledger_that_is_no_database_is_refused_and_left_alone(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "ledger.db").write_bytes(content)
    with pytest.raises(StorageFailed, match="ledger"):
        opened(tmp_path)
    assert (tmp_path / "ledger.db").read_bytes() == content
    (tmp_path / "ledger.db").unlink()
    with opened(tmp_path) as platform:
        assert bought(platform) == 0


def test_a_ledger_with_a_damaged_page_is_found(tmp_path: Path) -> None:
    with opened(tmp_path) as platform:
        buy(platform, *range(300))
    with (tmp_path / "ledger.db").open("r+b") as file:
        file.seek(4096 * 30)
        file.write(b"\xff" * 4096 * 8)
    with opened(tmp_path, start=False) as platform:
        report = doctor.examine(platform)
    assert "ledger" in {finding.part for finding in report.findings}


def test_a_clock_that_stands_still_or_runs_backwards_loses_nothing(tmp_path: Path) -> None:
    clock = StillClock(AT)
    with Platform.open(tmp_path, SMALL, clock) as platform:
        buy(platform, *range(10))
        clock.move(hours=-20)
        assert {o.status for o in buy(platform, *range(10, 20))} <= {"created", "unchanged"}
        assert bought(platform) == 20
    with Platform.open(tmp_path, SMALL, clock) as platform:
        assert {o.status for o in buy(platform, *range(20))} == {"duplicate"}
        buy(platform, 30)
        assert bought(platform) == 21
        assert doctor.examine(platform).findings == []
