"""Qdrant's JSON filters, turned into the engine's.

Strict on purpose: filters carry permissions, so a condition that is not understood is an error, never ignored. Depth is
bounded because update filters are written to the engine's log, which it cannot read back beyond about 128 levels.
"""

import reprlib
from collections.abc import Callable
from typing import Any
from uuid import UUID

import numpy as np
import qdrant_edge as edge

from sidecars.vectors.errors import wrong_input

MAX_FILTER_DEPTH = 16

PointId = int | UUID | str

Condition = (
    edge.FieldCondition
    | edge.IsEmptyCondition
    | edge.IsNullCondition
    | edge.HasIdCondition
    | edge.HasVectorCondition
    | edge.NestedCondition
    | edge.Filter
)


def shown(raw: object) -> str:
    """A value as an error may quote it: short, whatever was sent."""
    return reprlib.repr(raw)


def parse_filter(raw: object, depth: int = 0) -> edge.Filter:
    """Raises RequestError (400) naming what was not understood."""
    if depth > MAX_FILTER_DEPTH:
        raise wrong_input(f"a filter may be nested {MAX_FILTER_DEPTH} levels deep")
    clauses = _object(raw, "filter", {"must", "should", "must_not", "min_should"})
    min_should = clauses.get("min_should")
    if min_should is not None:
        bound = _object(min_should, "min_should", {"conditions", "min_count"})
        conditions = _conditions(bound.get("conditions"), depth) or []
        min_should = edge.MinShould(conditions, _count(bound.get("min_count"), "min_count"))
    return edge.Filter(
        must=_conditions(clauses.get("must"), depth),
        should=_conditions(clauses.get("should"), depth),
        must_not=_conditions(clauses.get("must_not"), depth),
        min_should=min_should,
    )


def parse_optional_filter(raw: object) -> edge.Filter | None:
    return None if raw is None else parse_filter(raw)


def parse_point_id(raw: object) -> PointId:
    """An unsigned 64-bit integer or a UUID, which comes back in its canonical form."""
    if isinstance(raw, int) and not isinstance(raw, bool) and 0 <= raw < 2**64:
        return raw
    if isinstance(raw, str):
        try:
            return str(UUID(raw))
        except ValueError:
            pass
    raise wrong_input(f"value {shown(raw)} is not a valid point ID, valid values are an unsigned integer or a UUID")


def _conditions(raw: object, depth: int) -> list[Any] | None:
    if raw is None:
        return None
    return [_condition(item, depth) for item in (raw if isinstance(raw, list) else [raw])]


def _condition(raw: object, depth: int) -> Condition:
    if not isinstance(raw, dict):
        raise wrong_input(f"a filter condition must be an object, not {shown(raw)}")
    if "key" in raw:
        return _field_condition(raw)
    if len(raw) == 1:
        ((name, value),) = raw.items()
        match name:
            case "is_empty":
                return edge.IsEmptyCondition(_text(_object(value, name, {"key"}).get("key"), "key"))
            case "is_null":
                return edge.IsNullCondition(_text(_object(value, name, {"key"}).get("key"), "key"))
            case "has_id":
                return edge.HasIdCondition({parse_point_id(item) for item in _list(value, name)})
            case "has_vector":
                return edge.HasVectorCondition(_text(value, name))
            case "nested":
                nested = _object(value, name, {"key", "filter"})
                inner = parse_filter(nested.get("filter"), depth + 1)
                return edge.NestedCondition(_text(nested.get("key"), "key"), inner)
    return parse_filter(raw, depth + 1)


def _field_condition(raw: dict[str, Any]) -> edge.FieldCondition:
    predicates = {name: value for name, value in raw.items() if name != "key" and value is not None}
    if len(predicates) != 1:
        raise wrong_input(f"the condition on {shown(raw['key'])} needs exactly one predicate, not {len(predicates)}")
    ((name, value),) = predicates.items()
    parsed: Any
    match name:
        case "match":
            parsed = _match(value)
        case "range":
            parsed = _range(value)
        case "values_count":
            bounds = _object(value, name, {"lt", "gt", "lte", "gte"})
            parsed = edge.ValuesCount(**{bound: _count(n, bound) for bound, n in bounds.items() if n is not None})
        case "is_empty" | "is_null" if isinstance(value, bool):
            parsed = value
        case _:
            raise wrong_input(f"the condition {shown(name)} is not understood by this server")
    return edge.FieldCondition(_text(raw["key"], "key"), **{name: parsed})


def _match(raw: object) -> object:
    if not isinstance(raw, dict) or len(raw) != 1:
        raise wrong_input(f"a match needs exactly one of {sorted(_MATCHES)}, not {shown(raw)}")
    ((name, value),) = raw.items()
    if name not in _MATCHES:
        raise wrong_input(f"the match {shown(name)} is not understood, use one of {sorted(_MATCHES)}")
    return _MATCHES[name](value)


def _match_value(raw: object) -> edge.MatchValue:
    if isinstance(raw, bool):
        # The binding takes Python's bool for the integer 1 or 0, which matches no boolean, and NumPy's for a boolean.
        return edge.MatchValue(np.bool_(raw))  # type: ignore[arg-type]
    if isinstance(raw, str | int):
        return edge.MatchValue(raw)
    raise wrong_input(f"a match value must be a string, an integer or a boolean, not {shown(raw)}")


def _keywords_or_integers(raw: object) -> list[Any]:
    values = _list(raw, "match")
    if all(isinstance(v, str) for v in values) or all(isinstance(v, int) and not isinstance(v, bool) for v in values):
        return values
    raise wrong_input("match any and except take only strings or only integers")


_MATCHES: dict[str, Callable[[object], object]] = {
    "value": _match_value,
    "any": lambda raw: edge.MatchAny(_keywords_or_integers(raw)),
    "except": lambda raw: edge.MatchExcept(_keywords_or_integers(raw)),
    "text": lambda raw: edge.MatchText(_text(raw, "text")),
    "text_any": lambda raw: edge.MatchTextAny(_text(raw, "text_any")),
    "phrase": lambda raw: edge.MatchPhrase(_text(raw, "phrase")),
    "prefix": lambda raw: edge.MatchPrefix(_text(raw, "prefix")),
}


def _range(raw: object) -> edge.RangeFloat | edge.RangeDateTime:
    bounds = {name: v for name, v in _object(raw, "range", {"lt", "gt", "lte", "gte"}).items() if v is not None}
    if all(isinstance(v, int | float) and not isinstance(v, bool) for v in bounds.values()):
        return edge.RangeFloat(**bounds)
    if all(isinstance(v, str) for v in bounds.values()):
        return edge.RangeDateTime(**bounds)
    raise wrong_input("the bounds of a range are all numbers or all date-times")


def _object(raw: object, name: str, known: set[str]) -> dict[str, Any]:
    if not isinstance(raw, dict):
        raise wrong_input(f"{name} must be an object, not {shown(raw)}")
    if unknown := sorted(set(raw) - known):
        raise wrong_input(f"{name} has no {shown(unknown[0])}, only {sorted(known)}")
    return raw


def _list(raw: object, name: str) -> list[Any]:
    if not isinstance(raw, list):
        raise wrong_input(f"{name} must be a list, not {shown(raw)}")
    return raw


def _text(raw: object, name: str) -> str:
    if not isinstance(raw, str):
        raise wrong_input(f"{name} must be a string, not {shown(raw)}")
    return raw


def _count(raw: object, name: str) -> int:
    if not isinstance(raw, int) or isinstance(raw, bool) or raw < 0:
        raise wrong_input(f"{name} must be a whole number, not {shown(raw)}")
    return raw
