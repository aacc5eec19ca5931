"""Qdrant's JSON queries, turned into the engine's: nearest, fusion, order_by and sample, with nested prefetches."""

from typing import Any, TypeVar

import msgspec
import qdrant_edge as edge

from sidecars.vectors import requests
from sidecars.vectors.errors import wrong_input
from sidecars.vectors.filters import parse_filter, parse_optional_filter, shown
from sidecars.vectors.points import parse_sparse

MAX_PREFETCH_DEPTH = 8
DEFAULT_LIMIT = 10
DEFAULT_RRF_K = 2  # Qdrant's own: score = sum of 1 / (k + rank), with ranks from 0.

T = TypeVar("T", bound=requests.Body)


def parse_query(body: requests.Query) -> edge.QueryRequest:
    """Raises RequestError (400) for a query that this server does not speak."""
    return edge.QueryRequest(
        limit=DEFAULT_LIMIT if body.limit is None else body.limit,
        offset=body.offset,
        query=_query(body.query, body.using),
        prefetches=_prefetches(body.prefetch, 1),
        with_vector=parse_with_vector(body.with_vector),
        with_payload=parse_with_payload(body.with_payload),
        filter=parse_optional_filter(body.filter),
        score_threshold=body.score_threshold,
        params=_params(body.params),
    )


def parse_order_by(raw: object) -> edge.OrderBy:
    settings = _convert({"order_by": raw}, requests.OrderBy).order_by
    if isinstance(settings, str):
        return edge.OrderBy(settings)
    direction = None if settings.direction is None else getattr(edge.Direction, settings.direction.capitalize())
    return edge.OrderBy(settings.key, direction, settings.start_from)


def parse_with_payload(raw: requests.WithPayload) -> Any:
    match raw:
        case {"include": list(keys), **rest} if not rest:
            return edge.PayloadSelector.Include(keys)
        case {"exclude": list(keys), **rest} if not rest:
            return edge.PayloadSelector.Exclude(keys)
        case dict():
            raise wrong_input("with_payload takes either include or exclude")
    return raw or False


def parse_with_vector(raw: requests.WithVector) -> bool | list[str]:
    return raw or False


def _prefetches(raw: list[requests.Prefetch] | requests.Prefetch | None, depth: int) -> list[edge.Prefetch]:
    if raw is None:
        return []
    if depth > MAX_PREFETCH_DEPTH:
        raise wrong_input(f"prefetches may be nested {MAX_PREFETCH_DEPTH} levels deep")
    return [
        edge.Prefetch(
            limit=DEFAULT_LIMIT if body.limit is None else body.limit,
            query=_query(body.query, body.using),
            prefetches=_prefetches(body.prefetch, depth + 1),
            params=_params(body.params),
            filter=parse_optional_filter(body.filter),
            score_threshold=body.score_threshold,
        )
        for body in (raw if isinstance(raw, list) else [raw])
    ]


def _query(raw: object, using: str | None) -> Any:
    match raw:
        case None:
            return None
        case list():
            return _nearest({"nearest": raw}, using)
        case {"indices": _}:
            return _nearest({"nearest": raw}, using)
        case {"nearest": _}:
            return _nearest(raw, using)
        case {"fusion": _}:
            fusion = _convert(raw, requests.Fusion).fusion
            return edge.Fusion.Dbsf() if fusion == "dbsf" else edge.Fusion.Rrf(DEFAULT_RRF_K)
        case {"rrf": _}:
            settings = _convert(raw, requests.Rrf).rrf
            return edge.Fusion.Rrf(DEFAULT_RRF_K if settings.k is None else settings.k, settings.weights)
        case {"order_by": order_by, **rest} if not rest:
            return parse_order_by(order_by)
        case {"sample": _}:
            _convert(raw, requests.Sample)
            return edge.Sample.Random
    raise wrong_input(f"the query {shown(raw)} is not spoken here; nearest, fusion, rrf, order_by and sample are")


def _nearest(raw: object, using: str | None) -> edge.Query:
    vector = _convert(raw, requests.Nearest).nearest
    return edge.Query.Nearest(parse_sparse(vector) if isinstance(vector, requests.Sparse) else vector, using)


def _params(body: requests.SearchParams | None) -> edge.SearchParams:
    match body.idf if body else None:
        case None:
            idf = None
        case "global":
            idf = edge.IdfParams()
        case {"corpus": corpus, **rest} if not rest:
            idf = edge.IdfParams(parse_filter(corpus))
        case other:
            raise wrong_input(f"idf is 'global' or a corpus with a filter, not {shown(other)}")
    return edge.SearchParams(exact=True, idf=idf)


def _convert(raw: object, kind: type[T]) -> T:
    try:
        return msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        raise wrong_input(str(error)) from error
