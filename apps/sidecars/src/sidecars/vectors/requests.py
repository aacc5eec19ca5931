"""The request bodies that are understood. A field that is not listed is an error: nothing is dropped silently."""

from typing import Annotated, Any, Literal

import msgspec

Limit = Annotated[int, msgspec.Meta(ge=0)]
RawId = int | str


class Body(msgspec.Struct, forbid_unknown_fields=True):
    """Base of every request body."""


class Sparse(Body):
    indices: list[Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1)]]
    values: list[float]


class DenseParams(Body):
    size: Annotated[int, msgspec.Meta(ge=1, le=65536)]
    distance: Literal["Cosine", "Dot", "Euclid", "Manhattan"]
    # Placement and index settings change speed, not results; the search here is exact.
    on_disk: Any = None
    memory: Any = None
    hnsw_config: Any = None
    quantization_config: Any = None


class SparseParams(Body):
    modifier: Literal["none", "idf"] | None = None
    index: Any = None


class CreateCollection(Body):
    vectors: dict[str, Any] = {}
    sparse_vectors: dict[str, SparseParams] | None = None
    metadata: dict[str, Any] | None = None
    # Accepted because a client written for a server sends them; they place and tune, and change no result.
    shard_number: Any = None
    sharding_method: Any = None
    replication_factor: Any = None
    write_consistency_factor: Any = None
    on_disk_payload: Any = None
    payload: Any = None
    hnsw_config: Any = None
    wal_config: Any = None
    optimizers_config: Any = None
    quantization_config: Any = None


class CreateIndex(Body):
    field_name: str
    field_schema: str | dict[str, Any]


class PointBody(Body):
    id: RawId
    vector: list[float] | dict[str, list[float] | Sparse]
    payload: dict[str, Any] | None = None


class Upsert(Body):
    points: list[PointBody]


class Selector(Body):
    """Which points: either by id or by filter."""

    points: list[RawId] | None = None
    filter: Any = None


class SetPayload(Selector, kw_only=True):
    payload: dict[str, Any]
    key: str | None = None


class DeletePayload(Selector, kw_only=True):
    keys: list[str]


WithPayload = bool | list[str] | dict[str, list[str]] | None
WithVector = bool | list[str] | None


class Retrieve(Body):
    ids: list[RawId]
    with_payload: WithPayload = True
    with_vector: WithVector = False


class Scroll(Body):
    filter: Any = None
    limit: Annotated[int, msgspec.Meta(ge=1)] | None = 10
    offset: RawId | None = None
    with_payload: WithPayload = True
    with_vector: WithVector = False
    order_by: Any = None


class Count(Body):
    filter: Any = None
    exact: bool | None = True


class SearchParams(Body):
    exact: bool | None = None
    idf: Any = None
    # Nothing is approximate here, so these have nothing to tune.
    hnsw_ef: Any = None
    indexed_only: Any = None
    quantization: Any = None
    acorn: Any = None


class Prefetch(Body):
    prefetch: "list[Prefetch] | Prefetch | None" = None
    query: Any = None
    using: str | None = None
    filter: Any = None
    params: SearchParams | None = None
    score_threshold: float | None = None
    limit: Limit | None = None


class Query(Prefetch):
    offset: Limit | None = None
    with_payload: WithPayload = False
    with_vector: WithVector = False


class QueryBatch(Body):
    searches: list[Query]


class Nearest(Body):
    nearest: list[float] | Sparse


class Fusion(Body):
    fusion: Literal["rrf", "dbsf"]


class RrfSettings(Body):
    k: Annotated[int, msgspec.Meta(ge=1)] | None = None
    weights: list[float] | None = None


class Rrf(Body):
    rrf: RrfSettings


class OrderBySettings(Body):
    key: str
    direction: Literal["asc", "desc"] | None = None
    start_from: int | float | str | None = None


class OrderBy(Body):
    order_by: str | OrderBySettings


class Sample(Body):
    sample: Literal["random"]
