"""The product's own API, `/api/v1`: one module a noun."""

from __future__ import annotations

from user360.doors.api import (
    definitions,
    directory,
    erasures,
    events,
    exports,
    import_reports,
    imports,
    jobs,
    many,
    person,
    properties,
    schedules,
    segment_history,
    segment_members,
    segment_versions,
    segments,
    sessions,
    users,
    why,
    workspace,
)

ROUTES = [
    *users.ROUTES,
    *many.ROUTES,
    *person.ROUTES,
    *sessions.ROUTES,
    *events.ROUTES,
    *properties.ROUTES,
    *definitions.ROUTES,
    *segments.ROUTES,
    *segment_versions.ROUTES,
    *segment_members.ROUTES,
    *segment_history.ROUTES,
    *why.ROUTES,
    *imports.ROUTES,
    *import_reports.ROUTES,
    *schedules.ROUTES,
    *exports.ROUTES,
    *jobs.ROUTES,
    *erasures.ROUTES,
    *directory.ROUTES,
    *workspace.ROUTES,
]
