"""What a figure was measured on: nothing in it names the machine or a place on it."""

from __future__ import annotations

import os
import platform
import sqlite3
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

_LIBRARIES = (
    "duckdb",
    "httptools",
    "litestar",
    "msgspec",
    "numpy",
    "psycopg",
    "pyarrow",
    "sqlalchemy",
    "uvicorn",
)


def facts() -> dict[str, Any]:
    """Cores, memory, versions, how busy the machine was before, and the day."""
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "cores": os.cpu_count(),
        "memoryGB": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "loadBefore": round(os.getloadavg()[0], 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "libraries": {name: metadata.version(name) for name in _LIBRARIES},
    }
