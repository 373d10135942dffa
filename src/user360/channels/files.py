"""Files that come in through a channel, kept as attachments."""

from __future__ import annotations

from user360.access.workspaces import Workspace
from user360.conversations import attachments
from user360.conversations.talk import Attachment
from user360.errors import StorageFailed, TooLarge
from user360.platform import Platform


def save(
    platform: Platform, workspace: Workspace, name: str, kind: str, content: bytes
) -> Attachment:
    """Keep a file on disk; what a message is given. `kind` is its media type as it was told.

    Raises `TooLarge`, `StorageFailed`.
    """
    if len(content) > attachments.LARGEST:
        raise TooLarge(f"A file may have at most {attachments.LARGEST:,} bytes")
    try:
        number = attachments.write(platform.directory, workspace.id, content)
    except OSError as error:
        raise StorageFailed(f"The file cannot be kept: {error.strerror}") from error
    told = Attachment(name, kind, len(content))
    now = platform.now()
    return platform.write(lambda c: attachments.keep(c, workspace.id, number, told, now))
