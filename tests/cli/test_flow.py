"""Flows from the command line, and the guide to identifying people, done as it says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import KEY, Run, Server
from user360.flows.language import page, reading

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "identify-with-a-flow.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(kind: str) -> list[str]:
    return [text for named, text in BLOCK.findall(GUIDE.read_text("utf-8")) if named == kind]


@pytest.fixture
def flow(tmp_path: Path) -> Path:
    """The flow of the guide."""
    (text,) = blocks("yaml")
    path = tmp_path / "welcome.yaml"
    path.write_text(text)
    return path


def test_a_flow_is_checked_kept_shown_and_deleted(at: Run, flow: Path) -> None:
    assert "Nothing is wrong" in at("flow", "check", str(flow)).out
    assert at("flow", "put", "welcome", str(flow)).code == 0
    assert "welcome" in at("flow", "list").out
    assert at("flow", "show", "welcome").out.strip() == flow.read_text().strip()
    assert "shopToken" in at("flow", "secret", "welcome", "shopToken=hush").out
    assert "hush" not in at("flow", "list", "--json").out
    assert at("flow", "delete", "welcome", "--yes").code == 0
    assert at("flow", "show", "welcome").code == 2


def test_faults_are_told_with_their_lines(at: Run, flow: Path) -> None:
    flow.write_text(flow.read_text().replace("next: known", "next: knwon"))
    said = at("flow", "check", str(flow))
    assert said.code == 2
    assert "line 12: there is no node knwon; did you mean known?" in said.err


def test_trying_shows_what_would_be_said_and_done(at: Run, flow: Path) -> None:
    asked = ("flow", "try", "welcome", "Hi", "asha@example.com", "1", "--file", str(flow))
    said = at(*asked, "--set", "firstName=Asha").out.splitlines()
    assert said[:3] == ["> Hi", "< Hello!", "< What is your e-mail address?"]
    assert "  identify: assigned userId=asha@example.com by=email" in said
    assert "< Welcome back, Asha." in said
    assert any(line.startswith("  handOver: An order") for line in said)


@pytest.mark.usefixtures("flow")
def test_the_guide_runs(directory: Path, start: Callable[..., Server], tmp_path: Path) -> None:
    server = start(directory, "--port", "0", "--json", USER360_ADMIN_KEY=KEY)
    url = server.ready()["url"]

    def shell(code: str) -> str:
        environment = {
            **os.environ,
            "USER360_URL": url,
            "USER360_KEY": KEY,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        }
        done = subprocess.run(
            ["bash", "-euc", code],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    keep, begin, say, prove, secret = blocks("console")
    assert "Kept the flow welcome" in shell(keep)
    assert '"flow:welcome"' in shell(begin)
    shell(say)
    until = "for i in $(seq 200); do user360 conversation show c1 | grep e-mail && break; done"
    assert "What is your e-mail address?" in shell(until)
    assert '"proof":"proof"' in shell(prove).replace(" ", "")
    assert "shopToken" in shell(secret)


def test_every_example_of_the_reference_is_read(flow: Path) -> None:
    for kind, example in page.EXAMPLES.items():
        lines = "\n".join(f"    {line}" for line in example.splitlines())
        text = f"start: a\nnodes:\n  a:\n{lines}\n"
        _, troubles, _ = reading.read(text)
        unknown = ("there is no node", "no variable is called")
        told = [each.message for each in troubles if not each.message.startswith(unknown)]
        assert told == [], kind
    assert page.EXAMPLES.keys() == page.KINDS.keys()
    assert reading.parse(flow.read_text()).start == "hello"
