"""Whose conversations a list shows: people whom a condition holds for, or whom a text finds."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

from user360.access.workspaces import Workspace
from user360.conversations.reading import Keeps
from user360.platform import Platform
from user360.segments.compiler import questions
from user360.segments.language.nodes import Node

MOST = 200  # people whom a text finds


def keeping(platform: Platform, workspace: Workspace, node: Node) -> Keeps:
    """Says which of some living records a condition is true of; to be asked on a thread."""

    def keeps(roots: set[int]) -> Collection[int]:
        warehouse = platform.wait(workspace.catalogue.version)
        chosen = questions.selected(warehouse, workspace, node, platform.clock.now())
        asked = f"SELECT id FROM ({chosen}) AS chosen WHERE id IN (SELECT unnest(?))"
        return {row[0] for row in warehouse.query(asked, [sorted(roots)]).rows}

    return keeps


async def people(platform: Platform, workspace: Workspace, text: str) -> list[int]:
    """The newest of the people whose name, userId, address or number a text is found in."""

    def ask() -> list[int]:
        warehouse, now = platform.wait(workspace.catalogue.version), platform.clock.now()
        page = questions.search(warehouse, workspace, None, text=text, limit=MOST, now=now)
        return page.numbers

    return await asyncio.to_thread(ask)
