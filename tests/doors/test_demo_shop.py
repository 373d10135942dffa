"""The demo's shop: a page of a customer, with all it asks for, and there only in a demo."""

from __future__ import annotations

import re
from pathlib import Path

from litestar.testing import TestClient

from user360 import app, demo
from user360.platform import Platform
from user360.settings import Settings


def test_the_shop_finds_all_it_names_and_its_icon(tmp_path: Path) -> None:
    with Platform.open(tmp_path, Settings()) as platform:
        (tmp_path / demo.KEY).write_text("")
        with TestClient(app.create(platform)) as client:
            page = client.get("/demo/shop").text
            named = re.findall(r'(?:href|src)="(/[^"]+)"', page)
            assert "/demo/shop.svg" in named
            for each in named:
                assert client.get(each).status_code == 200, each
            icon = client.get("/demo/shop.svg")
            assert icon.headers["content-type"].startswith("image/svg+xml")
            assert "default-src 'none'" in icon.headers["content-security-policy"]


def test_without_a_demo_there_is_no_shop(tmp_path: Path) -> None:
    with (
        Platform.open(tmp_path, Settings()) as platform,
        TestClient(app.create(platform)) as client,
    ):
        assert client.get("/demo/shop").status_code == 404
        assert client.get("/demo/shop.svg").status_code == 404
