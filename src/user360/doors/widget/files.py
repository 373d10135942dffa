"""Files in the chat: taken in from a browser, and given to whoever has their address."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from litestar.handlers import HTTPRouteHandler

from user360.access.workspaces import Workspace
from user360.conversations.talk import Attachment
from user360.platform import Platform


async def said(
    platform: Platform, workspace: Workspace, given: Sequence[Any]
) -> tuple[Attachment, ...]:
    return ()


ROUTES: list[HTTPRouteHandler] = []
