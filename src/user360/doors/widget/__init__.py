"""The widget's door: the script that a page loads, and what it asks; for anybody, with no key."""

from __future__ import annotations

from user360.doors.widget import files, routes, script, stream

ROUTES = [*script.ROUTES, *routes.ROUTES, *files.ROUTES, *stream.ROUTES]
