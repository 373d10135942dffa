from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from user360.storage.scratch import Names

letters = st.characters(exclude_categories=["Cc", "Cs"])
names = st.lists(st.sets(st.text(letters, max_size=3), max_size=6), max_size=6)


@given(added=names)
def test_it_knows_what_was_put_in_before(
    tmp_path_factory: pytest.TempPathFactory, added: list[set[str]]
) -> None:
    path = tmp_path_factory.mktemp("scratch") / "names"
    held: set[str] = set()
    with Names(path) as kept:
        for some in added:
            assert kept.add(some) == some & held
            held |= some
    assert not path.exists()
