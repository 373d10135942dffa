"""What customers write about more than before: words, and pairs of words, that rose.

A word counts once for each conversation. It rose when more conversations have it than chance
explains: the difference of its two shares is over `SURE` standard errors. One person's favourite
word is no topic, so `PEOPLE` of them must have said it.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from user360.conversations.reports import Said

PEOPLE = 3
SURE = 3.0  # of thousands of words looked at, hardly one is that far off by chance
MOST = 20
MOST_SAID = 50_000  # messages of a period that are looked at, the newest
LONGEST = 40
# A word whose conversations nearly all have it in one pair is told by the pair.
WITHIN = 0.8
_WORD = re.compile(r"[^\W_]+(?:['\u2019-][^\W_]+)*")


class Topic(NamedTuple):
    """A word or a pair of words: in how many conversations it was, before and now."""

    name: str
    before: int
    now: int
    conversations: frozenset[int]


def terms(text: str) -> set[str]:
    """The words and the pairs of neighbours in a text; those without a letter are left out."""
    found: set[str] = set()
    before = ""
    for word in _WORD.findall(text.casefold()):
        if len(word) > LONGEST or not any(c.isalpha() for c in word):
            before = ""
            continue
        if len(word) > 1:
            found.add(word)
        if before:
            found.add(f"{before} {word}")
        before = word
    return found


def rising(before: Iterable[Said], now: Iterable[Said]) -> list[Topic]:
    """The topics that rose from one period to the next, those that rose most surely first."""
    talks_before, _, had = _counted(before)
    talks, people, has = _counted(now)
    found = []
    for name, conversations in has.items():
        less = len(had.get(name, ()))
        if len(people[name]) >= PEOPLE:
            sure = _surely((less, talks_before), (len(conversations), talks))
            if sure >= SURE:
                topic = Topic(name, less, len(conversations), frozenset(conversations))
                found.append((sure, topic))
    found.sort(key=lambda pair: (-pair[0], pair[1].name))
    return _without_parts([topic for _, topic in found])[:MOST]


def _counted(
    said: Iterable[Said],
) -> tuple[int, Mapping[str, set[int]], Mapping[str, set[int]]]:
    """How many conversations there are, and by term who said it and where."""
    talks: set[int] = set()
    people: dict[str, set[int]] = {}
    where: dict[str, set[int]] = {}
    for each in said:
        talks.add(each.conversation)
        for term in terms(each.text):
            people.setdefault(term, set()).add(each.record)
            where.setdefault(term, set()).add(each.conversation)
    return len(talks), people, where


def _surely(before: tuple[int, int], now: tuple[int, int]) -> float:
    """By how many standard errors a share grew; half a conversation is added to each count, so
    that what was never said before is not infinitely new.
    """
    (less, of_less), (more, of_more) = before, now
    first, second = (less + 0.5) / (of_less + 1), (more + 0.5) / (of_more + 1)
    both = (less + more + 1) / (of_less + of_more + 2)
    error = math.sqrt(both * (1 - both) * (1 / (of_less + 1) + 1 / (of_more + 1)))
    return (second - first) / error if error else 0.0


def _without_parts(topics: list[Topic]) -> list[Topic]:
    """Without words that a pair tells better, and pairs that are a word and a common neighbour."""
    by_name = {topic.name: topic for topic in topics}
    gone: set[str] = set()
    for pair in topics:
        if " " not in pair.name:
            continue
        parts = [by_name[word] for word in pair.name.split(" ") if word in by_name]
        told = [word for word in parts if pair.now >= WITHIN * word.now]
        if parts and len(told) == len(parts) and len(parts) == 2:
            gone |= {word.name for word in told}
        elif parts:
            gone.add(pair.name)
    return list(itertools.filterfalse(lambda topic: topic.name in gone, topics))
