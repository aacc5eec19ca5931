"""One collection: its settings and its shard of the engine."""

from pathlib import Path
from typing import Any

import msgspec
import qdrant_edge as edge

from sidecars.vectors import requests
from sidecars.vectors.errors import not_found, wrong_input
from sidecars.vectors.filters import PointId, parse_filter, parse_optional_filter, parse_point_id
from sidecars.vectors.payload_index import describe_payload_schema, parse_index_schema
from sidecars.vectors.points import check_payload, parse_points
from sidecars.vectors.queries import parse_order_by, parse_query, parse_with_payload, parse_with_vector

# 0 builds no HNSW graph: every search is exact. Building one for 20,000 points would stop the server for 7 s, while an
# exact search over 60,000 vectors of 384 dimensions takes about 10 ms.
_OPTIMIZERS = edge.EdgeOptimizersConfig(default_segment_number=1, indexing_threshold=0)


class Settings(msgspec.Struct):
    """What a collection was created with; kept in its `collection.json`. The unnamed vector has the name ''."""

    name: str
    dense: dict[str, requests.DenseParams]
    sparse: dict[str, requests.SparseParams]
    metadata: dict[str, Any] | None = None


def parse_settings(name: str, body: requests.CreateCollection) -> Settings:
    single = isinstance(body.vectors.get("distance"), str)
    try:
        dense = msgspec.convert({"": body.vectors} if single else body.vectors, dict[str, requests.DenseParams])
    except msgspec.ValidationError as error:
        raise wrong_input(f"vectors: {error}") from error
    sparse = body.sparse_vectors or {}
    if shared := sorted(dense.keys() & sparse.keys()):
        raise wrong_input(f"{shared[0]!r} is the name of a dense and of a sparse vector")
    if not dense and not sparse:
        raise wrong_input("a collection needs at least one dense or sparse vector")
    check_payload(body.metadata)
    return Settings(name, dense, sparse, body.metadata)


class Collection:
    """Turns request bodies into calls of the engine. What is raised goes through `describe_failure`.

    The engine holds Python's interpreter lock for the whole of a call, so threads would gain nothing: all calls come
    from the one thread of the event loop, and are atomic.
    """

    def __init__(self, settings: Settings, shard: edge.EdgeShard) -> None:
        self.settings = settings
        self._shard = shard

    @classmethod
    def create(cls, settings: Settings, path: Path) -> "Collection":
        path.mkdir()
        config = edge.EdgeConfig(
            vectors={
                name: edge.EdgeVectorParams(params.size, getattr(edge.Distance, params.distance))
                for name, params in settings.dense.items()
            },
            sparse_vectors={
                name: edge.EdgeSparseVectorParams(modifier=edge.Modifier.Idf if params.modifier == "idf" else None)
                for name, params in settings.sparse.items()
            },
            optimizers=_OPTIMIZERS,
            max_search_threads=1,
        )
        return cls(settings, edge.EdgeShard.create(str(path), config))

    @classmethod
    def load(cls, settings: Settings, path: Path) -> "Collection":
        return cls(settings, edge.EdgeShard.load(str(path)))

    def upsert(self, body: requests.Upsert) -> None:
        points = parse_points(body.points, self.settings.dense, self.settings.sparse)
        if points:
            self._shard.update(edge.UpdateOperation.upsert_points(points))

    def delete(self, body: requests.Selector) -> None:
        ids, where = self._select(body, must_exist=False)
        operation = edge.UpdateOperation
        self._shard.update(operation.delete_points(ids) if where is None else operation.delete_points_by_filter(where))

    def set_payload(self, body: requests.SetPayload, *, overwrite: bool) -> None:
        check_payload(body.payload, body.key)
        ids, where = self._select(body)
        operation = edge.UpdateOperation
        if where is None:
            change = operation.overwrite_payload if overwrite else operation.set_payload
            self._shard.update(change(ids, body.payload, body.key))
        else:
            change_where = operation.overwrite_payload_by_filter if overwrite else operation.set_payload_by_filter
            self._shard.update(change_where(where, body.payload, body.key))

    def delete_payload(self, body: requests.DeletePayload) -> None:
        ids, where = self._select(body)
        operation = edge.UpdateOperation
        if where is None:
            self._shard.update(operation.delete_payload(ids, body.keys))
        else:
            self._shard.update(operation.delete_payload_by_filter(where, body.keys))

    def clear_payload(self, body: requests.Selector) -> None:
        ids, where = self._select(body)
        operation = edge.UpdateOperation
        self._shard.update(operation.clear_payload(ids) if where is None else operation.clear_payload_by_filter(where))

    def create_index(self, body: requests.CreateIndex) -> None:
        schema = parse_index_schema(body.field_schema)
        self._shard.update(edge.UpdateOperation.create_field_index(body.field_name, schema))

    def delete_index(self, field_name: str) -> None:
        self._shard.update(edge.UpdateOperation.delete_field_index(field_name))

    def retrieve(self, body: requests.Retrieve) -> list[dict[str, Any]]:
        ids = [parse_point_id(raw) for raw in body.ids]
        with_payload, with_vector = parse_with_payload(body.with_payload), parse_with_vector(body.with_vector)
        return [_record(point) for point in self._shard.retrieve(ids, with_payload, with_vector)]

    def scroll(self, body: requests.Scroll) -> dict[str, Any]:
        request = edge.ScrollRequest(
            offset=None if body.offset is None else parse_point_id(body.offset),
            limit=body.limit,
            filter=parse_optional_filter(body.filter),
            with_payload=parse_with_payload(body.with_payload),
            with_vector=parse_with_vector(body.with_vector),
            order_by=None if body.order_by is None else parse_order_by(body.order_by),
        )
        points, next_offset = self._shard.scroll(request)
        return {"points": [_record(point) for point in points], "next_page_offset": next_offset}

    def count(self, body: requests.Count) -> int:
        request = edge.CountRequest(exact=True, filter=parse_optional_filter(body.filter))
        return self._shard.count(request)

    def query(self, body: requests.Query) -> dict[str, Any]:
        request = parse_query(body)
        return {"points": [_scored(point) for point in self._shard.query(request)]}

    def info(self) -> dict[str, Any]:
        info = self._shard.info()
        dense = {name: {"size": p.size, "distance": p.distance} for name, p in self.settings.dense.items()}
        sparse = {name: {"modifier": p.modifier} if p.modifier else {} for name, p in self.settings.sparse.items()}
        return {
            "status": "green",
            "optimizer_status": "ok",
            "indexed_vectors_count": info.indexed_vectors_count,
            "points_count": info.points_count,
            "segments_count": info.segments_count,
            "config": {
                "params": {
                    "vectors": dense.get("", dense),
                    "sparse_vectors": sparse,
                    "shard_number": 1,
                    "replication_factor": 1,
                    "write_consistency_factor": 1,
                    "on_disk_payload": True,
                },
                "hnsw_config": {"m": 0, "ef_construct": 100, "full_scan_threshold": 10000},
                "optimizer_config": {"default_segment_number": 1, "indexing_threshold": 0, "flush_interval_sec": 1},
                "metadata": self.settings.metadata,
            },
            "payload_schema": describe_payload_schema(info.payload_schema),
        }

    def flush(self) -> None:
        self._shard.flush()

    def vacuum(self) -> None:
        """Gives back the space of deleted points once they are a fifth of the collection; else returns at once."""
        if self._shard.optimize():
            self._shard.flush()

    def close(self) -> None:
        self._shard.close()

    def _select(self, body: requests.Selector, *, must_exist: bool = True) -> tuple[list[PointId], edge.Filter | None]:
        """Ids or a filter, exactly one of the two. Ids that do not exist are an error, unless must_exist is false."""
        if (body.points is None) == (body.filter is None):
            raise wrong_input("name the points either by `points` or by `filter`")
        if body.points is None:
            return [], parse_filter(body.filter)
        ids = [parse_point_id(raw) for raw in body.points]
        if must_exist:
            found = {str(point.id) for point in self._shard.retrieve(ids, False, False)}
            if missing := [point_id for point_id in ids if str(point_id) not in found]:
                raise not_found(f"No point with id {missing[0]}")
        return ids, None


def _record(point: edge.Record | edge.ScoredPoint) -> dict[str, Any]:
    record: dict[str, Any] = {"id": point.id, "payload": point.payload}
    if point.vector is not None:
        record["vector"] = point.vector
    if point.order_value is not None:
        record["order_value"] = point.order_value
    return record


def _scored(point: edge.ScoredPoint) -> dict[str, Any]:
    return {**_record(point), "version": point.version, "score": point.score}
