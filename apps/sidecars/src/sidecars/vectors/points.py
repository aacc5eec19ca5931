"""Points and payloads, checked completely before the engine sees them.

The engine writes an update to its log first and judges it afterwards. An update that it refuses stays in the log, and
part of it comes to life when the log is replayed after a crash; one with a payload nested beyond about 128 levels makes
the log unreadable, and with it the collection. So everything that the engine could refuse is refused here.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import qdrant_edge as edge

from sidecars.vectors.errors import wrong_input
from sidecars.vectors.filters import parse_point_id
from sidecars.vectors.requests import DenseParams, PointBody, Sparse, SparseParams

MAX_PAYLOAD_DEPTH = 64
MAX_FLOAT32 = 3.4028234663852886e38


def parse_points(
    bodies: Iterable[PointBody], dense: Mapping[str, DenseParams], sparse: Mapping[str, SparseParams]
) -> list[edge.Point]:
    """Raises RequestError (400) for the first point that does not fit the collection."""
    points = []
    for body in bodies:
        named = body.vector if isinstance(body.vector, dict) else {"": body.vector}
        vectors: dict[str, Any] = {}
        for name, vector in named.items():
            if isinstance(vector, Sparse):
                if name not in sparse:
                    raise wrong_input(f"Not existing vector name error: {name}")
                vectors[name] = parse_sparse(vector)
            else:
                vectors[name] = _check_dense(name, vector, dense)
        check_payload(body.payload)
        points.append(edge.Point(parse_point_id(body.id), vectors, body.payload))
    return points


def parse_sparse(vector: Sparse) -> edge.SparseVector:
    if len(vector.indices) != len(vector.values):
        raise wrong_input("a sparse vector must have as many values as indices")
    if len(set(vector.indices)) != len(vector.indices):
        raise wrong_input("the indices of a sparse vector must be unique")
    _check_range(vector.values)
    return edge.SparseVector(vector.indices, vector.values)


def check_payload(payload: dict[str, Any] | None, key: str | None = None) -> None:
    depth = _depth(payload) + (0 if key is None else key.count(".") + key.count("[") + 1)
    if depth > MAX_PAYLOAD_DEPTH:
        raise wrong_input(f"a payload may be nested {MAX_PAYLOAD_DEPTH} levels deep")


def _check_dense(name: str, vector: list[float], dense: Mapping[str, DenseParams]) -> list[float]:
    params = dense.get(name)
    if params is None:
        raise wrong_input(f"Not existing vector name error: {name}")
    if len(vector) != params.size:
        raise wrong_input(f"Vector dimension error: expected dim: {params.size}, got {len(vector)}")
    _check_range(vector)
    return vector


def _check_range(values: list[float]) -> None:
    if values and (max(values) > MAX_FLOAT32 or min(values) < -MAX_FLOAT32):
        raise wrong_input("a vector value does not fit a 32-bit float")


def _depth(value: object) -> int:
    """Levels of nesting, found without recursion; stops counting just beyond the limit."""
    level: list[object] = [value]
    depth = 0
    while level and depth <= MAX_PAYLOAD_DEPTH:
        containers = [item for item in level if isinstance(item, dict | list)]
        depth += 1 if containers else 0
        level = [child for item in containers for child in (item.values() if isinstance(item, dict) else item)]
    return depth
