"""The pages: a web application for people, on the same functions as the API."""

from __future__ import annotations
