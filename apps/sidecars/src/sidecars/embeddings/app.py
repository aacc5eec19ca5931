"""OpenAI's routes for embeddings. https://platform.openai.com/docs/api-reference/embeddings"""

import asyncio
import base64
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Literal

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sidecars.embeddings.model import EmbeddingModel
from sidecars.server import BodyTooLargeError, Guard, read_body

MAX_BODY_BYTES = 16 * 1024 * 1024
MAX_INPUTS = 2048  # OpenAI's own limit.
MAX_INPUT_CHARS = 100_000


class EmbeddingsRequest(msgspec.Struct, forbid_unknown_fields=True):
    model: str
    input: str | list[str | int | list[int]]
    encoding_format: Literal["float", "base64"] | None = "float"
    dimensions: Annotated[int, msgspec.Meta(ge=1)] | None = None
    user: str | None = None


class ApiError(Exception):
    def __init__(self, status: int, message: str, *, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.param = param
        self.code = code


def create_embeddings_app(model: EmbeddingModel, api_key: str | None) -> Starlette:
    # One at a time: a request uses all of the model's threads. The event loop stays free to answer for health.
    executor = ThreadPoolExecutor(1, thread_name_prefix="embed")

    async def health(_: Request) -> Response:
        return _json({"status": "ok"})

    async def list_models(_: Request) -> Response:
        card = {"id": model.name, "object": "model", "created": 0, "owned_by": "anneal"}
        return _json({"object": "list", "data": [card]})

    async def create_embeddings(request: Request) -> Response:
        body, texts = _parse(await read_body(request, MAX_BODY_BYTES), model)
        embedded = await asyncio.get_running_loop().run_in_executor(executor, model.embed, texts)
        if body.encoding_format == "base64":
            vectors = [base64.b64encode(row.astype("<f4").tobytes()).decode() for row in embedded.vectors.numpy()]
        else:
            vectors = embedded.vectors.tolist()
        usage = {"prompt_tokens": embedded.tokens, "total_tokens": embedded.tokens}
        data = [{"object": "embedding", "index": i, "embedding": vector} for i, vector in enumerate(vectors)]
        headers = {"x-truncated-inputs": str(embedded.truncated), "x-max-input-tokens": str(model.max_tokens)}
        return _json({"object": "list", "data": data, "model": model.name, "usage": usage}, headers=headers)

    return Starlette(
        routes=[
            Route("/healthz", health),
            Route("/v1/models", list_models),
            Route("/v1/embeddings", create_embeddings, methods=["POST"]),
        ],
        middleware=[Middleware(Guard, api_key=api_key, error_body=_guard_body)],
        exception_handlers={ApiError: _api_error, BodyTooLargeError: _too_large, HTTPException: _http_exception},
    )


def _parse(raw: bytes, model: EmbeddingModel) -> tuple[EmbeddingsRequest, list[str]]:
    try:
        body = msgspec.json.decode(raw, type=EmbeddingsRequest)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ApiError(400, f"The body is not a valid embeddings request: {error}") from error
    if body.model != model.name:
        message = f"The model `{body.model[:200]}` does not exist; this server has `{model.name}`."
        raise ApiError(404, message, param="model", code="model_not_found")
    if body.dimensions not in (None, model.dimensions):
        raise ApiError(400, f"`{model.name}` has {model.dimensions} dimensions and no others.", param="dimensions")
    inputs = [body.input] if isinstance(body.input, str) else body.input
    if not 1 <= len(inputs) <= MAX_INPUTS:
        raise ApiError(400, f"The input must have 1 to {MAX_INPUTS} texts and has {len(inputs)}.", param="input")
    texts = [text for text in inputs if isinstance(text, str)]
    if len(texts) != len(inputs):
        raise ApiError(400, "The input must be text; token ids of another tokeniser mean nothing here.", param="input")
    for position, text in enumerate(texts):
        if not 1 <= len(text) <= MAX_INPUT_CHARS:
            message = f"Text {position} has {len(text)} characters and must have 1 to {MAX_INPUT_CHARS}."
            raise ApiError(400, message, param="input")
    return body, texts


async def _api_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    return _json(_error_body(error.status, error.message, error.param, error.code), error.status)


async def _too_large(_: Request, error: Exception) -> Response:
    return _json(_error_body(413, str(error), "input", None), 413)


async def _http_exception(_: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return _json(_error_body(status, "This server has GET /v1/models and POST /v1/embeddings.", None, None), status)


def _guard_body(status: int, message: str) -> object:
    return _error_body(status, message, None, "invalid_api_key" if status == 401 else None)


def _error_body(status: int, message: str, param: str | None, code: str | None) -> object:
    kind = "invalid_request_error" if status < 500 else "server_error"
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def _json(content: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(content), status, headers, media_type="application/json")
