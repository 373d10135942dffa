"""How numbers, shares and browsers are written for people."""

from __future__ import annotations

import pytest

from user360.pages import words

LINUX = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) {} Safari/537.36"


@pytest.mark.parametrize(
    ("part", "whole", "told"),
    [
        (0, 0, "0 %"),
        (0, 9, "0 %"),
        (1, 1_000, "< 1 %"),
        (1, 8, "12 %"),
        (999, 1_000, "> 99 %"),
        (9, 9, "100 %"),
    ],
)
def test_a_share_never_says_all_or_nothing_of_what_is_not(part: int, whole: int, told: str) -> None:
    assert words.percent(part, whole) == told


@pytest.mark.parametrize(
    ("agent", "told"),
    [
        (LINUX.format("Chrome/140.0.0.0"), "Chrome on Linux"),
        (LINUX.format("Chrome/140.0.0.0") + " Edg/140.0", "Edge on Linux"),
        (
            "Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140",
            "Firefox on Windows",
        ),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Safari/604.1", "Safari on iPhone"),
        ("curl/8.5", "curl/8.5"),
        ("", "unknown"),
    ],
)
def test_a_browser_is_called_as_people_call_it(agent: str, told: str) -> None:
    assert words.browser(agent) == told
