"""A real server and a real browser: what a person sees and does."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser import shop as shops
from tests.browser.chat import Come
from tests.browser.shop import Shop
from tests.browser.site import Site, Visit
from tests.people import HOSTILE, call, settle
from tests.signed_in import ADMIN

# A machine that runs other tests too is slow now and then, which is no fault of a page.
PATIENCE = 30_000  # milliseconds
expect.set_options(timeout=PATIENCE)
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, started once for the tests of a file.

    While it runs the driver's event loop does too, and tests of other files want their own.
    """
    found = (
        os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    )
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found, args=list(FLAGS))
        yield started
        started.close()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A server of its own on a free port, with a first member."""
    with Site.running(tmp_path / "data") as running:
        yield running


@pytest.fixture
def visit(browser: Browser, site: Site) -> Iterator[Visit]:
    """A way to come in as a member: `visit()` is the first, an admin; `visit("reader")` another.

    Whatever a page logs as an error, or asks of another host, fails the test.
    """
    contexts: list[BrowserContext] = []
    wrong: list[str] = []

    def come(role: str = ADMIN, **how: Any) -> Page:
        context = browser.new_context(base_url=site.url, reduced_motion="reduce", **how)
        contexts.append(context)
        context.add_cookies([site.cookie(role)])
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: wrong.append(f"{page.url}: {error}"))
        page.on("console", lambda said: _noted(said, page, wrong))
        page.on("request", lambda asked: _ours(asked.url, site.url, wrong))
        return page

    yield come
    for context in contexts:
        context.close()
    assert wrong == []


def _noted(said: Any, page: Page, wrong: list[str]) -> None:
    """A refused form and a lost connection are told by the page; they are logged as well."""
    told = ("Failed to load resource", "Failed to fetch")
    if said.type == "error" and not any(each in said.text for each in told):
        wrong.append(f"{page.url}: {said.text}")


def _ours(asked: str, url: str, wrong: list[str]) -> None:
    if not asked.startswith((url, "data:", "blob:", "about:")):
        wrong.append(f"asked another host: {asked}")


@pytest.fixture
def shop(site: Site) -> Iterator[Shop]:
    shops.switch_on(site)
    with shops.running(site.url) as shop:
        yield shop


@pytest.fixture
def come(browser: Browser, shop: Shop) -> Iterator[Come]:
    """A way to come to the shop: in a browser of one's own, or (`beside`) in another tab."""
    contexts: list[BrowserContext] = []
    wrong: list[str] = []

    def visit(beside: Page | None = None, **how: Any) -> Page:
        context = beside.context if beside else browser.new_context(reduced_motion="reduce", **how)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: _noted(said, page, wrong))
        page.goto(shop.url)
        return page

    yield visit
    for context in contexts:
        context.close()
    assert wrong == []


CITIES = ("Pune", "Delhi", "Lyon")


def one(n: int) -> dict[str, Any]:
    """The n-th of the people: every third lives in France, the last has a hostile first name."""
    where = {"city": CITIES[n % 3], "country": "FR" if n % 3 == 2 else "IN"}
    name = {"firstName": HOSTILE if n == 59 else f"First{n:02d}", "lastName": "Rao"}
    return {**name, **where, "tags": ["old"]}


@pytest.fixture
def people(site: Site) -> Site:
    """Sixty people."""
    calls = [call(site.platform, f"user-{n:02d}", properties=one(n)) for n in range(60)]
    settle(site.platform, *calls)
    return site
