"""What the HTTP sidecars share: a loopback socket, a ready line, a clean stop, and a guard in front of every route."""

import argparse
import asyncio
import contextlib
import hmac
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NoReturn

import uvicorn
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

LOOPBACK = "127.0.0.1"
OPEN_PATHS = frozenset({"/", "/healthz", "/readyz", "/livez"})

ErrorBody = Callable[[int, str], object]
"""Shapes (HTTP status, sentence) into the body that the spoken API uses for errors."""


class StartError(Exception):
    """The server cannot start; the message is one sentence that a person can act on."""


class BodyTooLargeError(Exception):
    """The request body is larger than the server reads."""


@dataclass(frozen=True)
class ServerOptions:
    port: int
    exit_with_parent: bool
    api_key: str | None


def add_server_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=int, required=True, help="loopback port; 0 chooses a free one")
    parser.add_argument("--exit-with-parent", action="store_true", help="stop when standard input reaches its end")
    parser.add_argument("--api-key-env", metavar="NAME", help="ask every request for the key in this variable")


def parse_server_options(arguments: argparse.Namespace) -> ServerOptions:
    api_key = None
    if arguments.api_key_env is not None:
        api_key = os.environ.get(arguments.api_key_env)
        if not api_key:  # A key that was meant to be there and is not must not mean "open to all".
            raise StartError(f"The environment variable {arguments.api_key_env} is empty; set it to the API key.")
    return ServerOptions(port=arguments.port, exit_with_parent=arguments.exit_with_parent, api_key=api_key)


def exit_with_start_error(program: str, error: StartError) -> NoReturn:
    print(f"{program}: {error}", file=sys.stderr, flush=True)
    sys.exit(1)


def bind_loopback(port: int) -> socket.socket:
    """Binds early, so that a taken port fails before anything slow is loaded; connections are refused until `serve`."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((LOOPBACK, port))
    except (OSError, OverflowError) as error:
        sock.close()
        raise StartError(f"Port {port} on {LOOPBACK} cannot be used ({error}); choose another with --port.") from error
    return sock


def serve(app: ASGIApp, sock: socket.socket, options: ServerOptions) -> None:
    """Serves until SIGTERM, SIGINT or, with exit_with_parent, the end of standard input. Returns after a clean stop."""
    config = uvicorn.Config(
        app,
        lifespan="off",
        loop="asyncio",
        ws="none",
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=False,
        # Longer than the 10 s for which the Qdrant client keeps an idle connection: the client closes first, and never
        # writes a request into a connection that the server is just closing.
        timeout_keep_alive=75,
        timeout_graceful_shutdown=5,
    )
    _LoopbackServer(config, sock, options).run(sockets=[sock])


class _LoopbackServer(uvicorn.Server):
    """uvicorn without its ten wake-ups a second: it sleeps until a request or a signal arrives."""

    def __init__(self, config: uvicorn.Config, sock: socket.socket, options: ServerOptions) -> None:
        super().__init__(config)
        self._port: int = sock.getsockname()[1]
        self._exit_with_parent = options.exit_with_parent

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # main_loop installs its own handlers, after which the process ends with exit code 0.

    async def main_loop(self) -> None:
        loop = asyncio.get_running_loop()
        stop = asyncio.Event()
        for signal_number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(signal_number, stop.set)
        if self._exit_with_parent:
            threading.Thread(target=_wait_for_stdin_end, args=(loop, stop), daemon=True).start()
        print(f"ready http://{LOOPBACK}:{self._port}", flush=True)
        await stop.wait()


def _wait_for_stdin_end(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    with contextlib.suppress(OSError):
        while os.read(0, 4096):
            pass
    with contextlib.suppress(RuntimeError):  # The loop is closed already: the server stopped by a signal.
        loop.call_soon_threadsafe(stop.set)


class Guard:
    """Lets only local programs through.

    A page in a browser on this machine can reach loopback too, by a plain form post or by DNS rebinding. Browsers name
    themselves in Origin and Sec-Fetch-Site and put the page's host into Host; no client of these servers does.
    """

    def __init__(self, app: ASGIApp, *, api_key: str | None, error_body: ErrorBody) -> None:
        self._app = app
        self._api_key = api_key.encode() if api_key is not None else None
        self._error_body = error_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        refusal = self._refuse(scope["path"], Headers(scope=scope))
        if refusal is None:
            await self._app(scope, receive, send)
        else:
            status, sentence = refusal
            await JSONResponse(self._error_body(status, sentence), status_code=status)(scope, receive, send)

    def _refuse(self, path: str, headers: Headers) -> tuple[int, str] | None:
        if "origin" in headers or "sec-fetch-site" in headers:
            return 403, "This server answers programs on this machine, not pages in a browser."
        if headers.get("host", "").rsplit(":", 1)[0] not in (LOOPBACK, "localhost"):
            return 403, f"This server answers only as {LOOPBACK} or localhost."
        if self._api_key is None or path in OPEN_PATHS:
            return None
        given = headers.get("api-key") or headers.get("authorization", "").removeprefix("Bearer ")
        if hmac.compare_digest(given.encode("latin-1"), self._api_key):  # Headers are bytes, read here as Latin-1.
            return None
        return 401, "Must provide an API key or an Authorization bearer token"


async def read_body(request: Request, limit_bytes: int) -> bytes:
    """Reads the whole body, and no more than `limit_bytes` of it. Raises BodyTooLargeError."""
    chunks: list[bytes] = []
    size_bytes = 0
    async for chunk in request.stream():
        size_bytes += len(chunk)
        if size_bytes > limit_bytes:
            raise BodyTooLargeError(f"The body is larger than the allowed {limit_bytes} bytes.")
        chunks.append(chunk)
    return b"".join(chunks)
