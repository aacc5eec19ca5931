"""Starts the real servers, as their supervisor does, and ends them with the test."""

import os
import select
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

SOURCES = Path(__file__).parents[1] / "src"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(SOURCES), "HF_HUB_OFFLINE": "1"}
START_TIMEOUT_S = 120


class Server:
    """A running sidecar: its process, its URL and a client."""

    def __init__(self, module: str, *arguments: str, environment: dict[str, str] | None = None) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            env={**ENVIRONMENT, **(environment or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout
        assert select.select([self.process.stdout], [], [], START_TIMEOUT_S)[0], "no ready line in time"
        self.ready_line = self.process.stdout.readline()
        assert self.ready_line.startswith("ready http://127.0.0.1:"), self.ready_line
        self.url = self.ready_line.split()[1]
        self.client = httpx.Client(base_url=self.url, timeout=60, trust_env=False)

    def call(self, method: str, path: str, body: object = None) -> object:
        """The result of a call that must succeed."""
        response = self.client.request(method, path, json=body)
        assert response.status_code == 200, response.text
        return response.json()["result"]

    def refuse(self, method: str, path: str, body: object = None) -> tuple[int, str]:
        """Status and sentence of a call that must fail."""
        response = self.client.request(method, path, json=body)
        assert response.status_code >= 400, response.text
        return response.status_code, response.json()["status"]["error"]

    def close(self) -> None:
        self.client.close()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(timeout=30)


Start = Callable[..., Server]


@pytest.fixture
def start() -> Iterator[Start]:
    servers: list[Server] = []

    def start_one(module: str, *arguments: str, environment: dict[str, str] | None = None) -> Server:
        servers.append(Server(module, *arguments, environment=environment))
        return servers[-1]

    yield start_one
    for server in servers:
        server.close()


@pytest.fixture
def vectors(start: Start, tmp_path: Path) -> Server:
    return start("sidecars.vectors", "--port", "0", "--dir", str(tmp_path))
