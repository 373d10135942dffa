"""The directory's own key: made once, for its owner alone, and needed for all that was sealed."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from user360.access.vault import FILE, SIZE, Vault
from user360.errors import StorageFailed

KEY = bytes(range(SIZE))
TEXTS = st.text(st.characters(codec="utf-8"), max_size=200)


def test_the_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    first = Vault.open(tmp_path)
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
    assert Vault.open(tmp_path).digest(1, "asha") == first.digest(1, "asha")
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_two_directories_have_nothing_in_common(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    one, other = Vault.open(here), Vault.open(there)
    assert one.digest(1, "asha") != other.digest(1, "asha")
    with pytest.raises(StorageFailed):
        other.unseal(one.seal("secret"))


@given(TEXTS)
def test_what_was_sealed_is_read_again_and_never_seen(text: str) -> None:
    vault = Vault(KEY)
    sealed = vault.seal(text)
    assert vault.unseal(sealed) == text
    assert sealed != vault.seal(text)
    assert len(text) < 8 or text not in sealed


@given(st.integers(1, 99), TEXTS, st.integers(1, 99), TEXTS)
def test_a_digest_is_of_one_text_in_one_workspace(
    workspace: int, text: str, other: int, another: str
) -> None:
    digests = Vault(KEY).digest(workspace, text), Vault(KEY).digest(other, another)
    assert (digests[0] == digests[1]) == ((workspace, text) == (other, another))
    assert all(len(d) == 64 for d in digests)


def test_a_text_that_was_tampered_with_is_refused() -> None:
    sealed = Vault(KEY).seal("secret")
    with pytest.raises(StorageFailed, match="another key"):
        Vault(KEY).unseal(sealed[:-6] + "AAAAA=")


def test_a_damaged_key_is_said_to_be_one(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"short")
    with pytest.raises(StorageFailed, match="damaged"):
        Vault.open(tmp_path)
