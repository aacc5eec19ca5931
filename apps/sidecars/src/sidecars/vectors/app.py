"""The routes: each decodes a body, calls one method of a collection, and wraps the result as Qdrant does."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec
import qdrant_edge as edge
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from sidecars.server import Guard, read_body
from sidecars.vectors import requests
from sidecars.vectors.collection import Collection, parse_settings
from sidecars.vectors.errors import RequestError, describe_failure
from sidecars.vectors.store import CollectionStore

API_VERSION = "1.19.0"  # Of Qdrant's REST API, which the client compares with its own version.
MAX_BODY_BYTES = 32 * 1024 * 1024  # Qdrant's own default.
FLUSH_AFTER_S = 1.0
VACUUM_AFTER_QUIET_S = 10.0
COMPLETED = {"operation_id": None, "status": "completed"}

B = TypeVar("B", bound=requests.Body)
Handler = Callable[[Request], Awaitable[object]]


def create_vectors_app(store: CollectionStore, api_key: str | None) -> Starlette:
    upkeep = _Upkeep(store)

    async def root(_: Request) -> Response:
        return _json({"title": "qdrant - vector search engine", "version": API_VERSION, "engine": "Qdrant Edge"})

    async def health(_: Request) -> Response:
        return PlainTextResponse("healthz check passed")

    async def list_collections(_: Request) -> object:
        return {"collections": [{"name": name} for name in store.names()]}

    async def get_collection(request: Request) -> object:
        return _collection(request).info()

    async def collection_exists(request: Request) -> object:
        return {"exists": store.exists(request.path_params["name"])}

    async def create_collection(request: Request) -> object:
        store.create(parse_settings(request.path_params["name"], await _body(request, requests.CreateCollection)))
        return True

    async def delete_collection(request: Request) -> object:
        return store.delete(request.path_params["name"])

    async def retrieve(request: Request) -> object:
        return _collection(request).retrieve(await _body(request, requests.Retrieve))

    async def scroll(request: Request) -> object:
        return _collection(request).scroll(await _body(request, requests.Scroll))

    async def count(request: Request) -> object:
        return {"count": _collection(request).count(await _body(request, requests.Count))}

    async def query(request: Request) -> object:
        return _collection(request).query(await _body(request, requests.Query))

    async def query_batch(request: Request) -> object:
        searches = (await _body(request, requests.QueryBatch)).searches
        return [_collection(request).query(search) for search in searches]

    async def upsert(request: Request) -> object:
        body = await _body(request, requests.Upsert)
        store.check_space()
        return write(request, lambda collection: collection.upsert(body))

    async def delete_points(request: Request) -> object:
        body = await _body(request, requests.Selector)
        return write(request, lambda collection: collection.delete(body))

    async def set_payload(request: Request) -> object:
        body = await _body(request, requests.SetPayload)
        store.check_space()
        overwrite = request.method == "PUT"
        return write(request, lambda collection: collection.set_payload(body, overwrite=overwrite))

    async def delete_payload(request: Request) -> object:
        body = await _body(request, requests.DeletePayload)
        return write(request, lambda collection: collection.delete_payload(body))

    async def clear_payload(request: Request) -> object:
        body = await _body(request, requests.Selector)
        return write(request, lambda collection: collection.clear_payload(body))

    async def create_index(request: Request) -> object:
        body = await _body(request, requests.CreateIndex)
        store.check_space()
        return write(request, lambda collection: collection.create_index(body))

    async def delete_index(request: Request) -> object:
        return write(request, lambda collection: collection.delete_index(request.path_params["field"]))

    def _collection(request: Request) -> Collection:
        return store.get(request.path_params["name"])

    def write(request: Request, act: Callable[[Collection], None]) -> object:
        collection = _collection(request)
        try:
            act(collection)
        finally:
            upkeep.note_write(collection.settings.name)
        return COMPLETED

    one = "/collections/{name}"
    routes = [
        Route("/", root),
        *(Route(path, health) for path in ("/healthz", "/readyz", "/livez")),
        _route("GET", "/collections", list_collections),
        _route("GET", one, get_collection),
        _route("PUT", one, create_collection),
        _route("DELETE", one, delete_collection),
        _route("GET", f"{one}/exists", collection_exists),
        _route("PUT", f"{one}/index", create_index),
        _route("DELETE", f"{one}/index/{{field}}", delete_index),
        _route("PUT", f"{one}/points", upsert),
        _route("POST", f"{one}/points", retrieve),
        _route("POST", f"{one}/points/delete", delete_points),
        _route("POST", f"{one}/points/payload", set_payload),
        _route("PUT", f"{one}/points/payload", set_payload),
        _route("POST", f"{one}/points/payload/delete", delete_payload),
        _route("POST", f"{one}/points/payload/clear", clear_payload),
        _route("POST", f"{one}/points/scroll", scroll),
        _route("POST", f"{one}/points/count", count),
        _route("POST", f"{one}/points/query", query),
        _route("POST", f"{one}/points/query/batch", query_batch),
    ]
    return Starlette(
        routes=routes,
        middleware=[Middleware(Guard, api_key=api_key, error_body=_error_body)],
        exception_handlers={HTTPException: _http_exception},
    )


class _Upkeep:
    """Writes out what the log holds soon after a write, and takes out the garbage when writing has stopped.

    Both by timers that run once: a server that nobody writes to does not wake up. What is acknowledged is in the
    engine's log already and survives the death of the process; the flush is for the death of the machine.
    """

    def __init__(self, store: CollectionStore) -> None:
        self._store = store
        self._unflushed: set[str] = set()
        self._written: set[str] = set()
        self._vacuum_timer: asyncio.TimerHandle | None = None

    def note_write(self, name: str) -> None:
        loop = asyncio.get_running_loop()
        if not self._unflushed:
            loop.call_later(FLUSH_AFTER_S, self._flush)
        if self._vacuum_timer is not None:
            self._vacuum_timer.cancel()
        self._vacuum_timer = loop.call_later(VACUUM_AFTER_QUIET_S, self._vacuum)
        self._unflushed.add(name)
        self._written.add(name)

    def _flush(self) -> None:
        names, self._unflushed = self._unflushed, set()
        self._store.for_each(names, Collection.flush)

    def _vacuum(self) -> None:
        names, self._written = self._written, set()
        self._store.for_each(names, Collection.vacuum)


def _route(method: str, path: str, handler: Handler) -> Route:
    async def respond(request: Request) -> Response:
        started = time.perf_counter()
        try:
            result = await handler(request)
        except Exception as error:
            failure = describe_failure(error)
            return _error(failure.status, failure.message)
        return _json({"result": result, "status": "ok", "time": time.perf_counter() - started})

    respond.__name__ = handler.__name__
    return Route(path, respond, methods=[method])


async def _body(request: Request, kind: type[B]) -> B:
    raw = await read_body(request, MAX_BODY_BYTES)
    try:
        return msgspec.json.decode(raw or b"{}", type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise RequestError(400, f"Format error in JSON body: {error}") from error


async def _http_exception(_: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return _error(status, "Not found: this server does not speak this path or method; see the README of apps/sidecars")


def _error(status: int, message: str) -> Response:
    return _json(_error_body(status, message), status)


def _error_body(_: int, message: str) -> object:
    return {"status": {"error": message}, "time": 0.0}


def _json(content: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(content, enc_hook=_encode), status, media_type="application/json")


def _encode(value: Any) -> object:
    if isinstance(value, edge.SparseVector):
        return {"indices": value.indices, "values": value.values}
    raise TypeError(f"{type(value).__name__} has no JSON form")
