"""Payload index settings, from Qdrant's JSON to the engine's classes and back."""

from enum import Enum
from typing import Any

import qdrant_edge as edge

from sidecars.vectors.errors import wrong_input
from sidecars.vectors.filters import shown

_PARAMS: dict[str, type] = {
    "keyword": edge.KeywordIndexParams,
    "integer": edge.IntegerIndexParams,
    "float": edge.FloatIndexParams,
    "bool": edge.BoolIndexParams,
    "datetime": edge.DatetimeIndexParams,
    "uuid": edge.UuidIndexParams,
    "text": edge.TextIndexParams,
}
_TOKENIZERS = {
    "prefix": edge.TokenizerType.Prefix,
    "whitespace": edge.TokenizerType.Whitespace,
    "word": edge.TokenizerType.Word,
    "multilingual": edge.TokenizerType.Multilingual,
}
_ATTRIBUTES = (
    *("is_tenant", "is_principal", "on_disk", "enable_hnsw", "lookup", "range", "prefix"),
    *("tokenizer", "min_token_len", "max_token_len", "lowercase", "ascii_folding", "phrase_matching"),
)


def parse_index_schema(raw: str | dict[str, Any]) -> Any:
    """Takes `"keyword"` or `{"type": "keyword", "is_tenant": true}`. Raises RequestError (400)."""
    settings: dict[str, Any] = {"type": raw} if isinstance(raw, str) else dict(raw)
    kind = settings.pop("type", None)
    if not isinstance(kind, str) or kind not in _PARAMS:
        raise wrong_input(f"a payload index is one of {sorted(_PARAMS)}, not {shown(kind)}")
    if unknown := sorted(set(settings) - set(_ATTRIBUTES)):
        raise wrong_input(f"this server does not know the index setting {shown(unknown[0])}")
    if (tokenizer := settings.get("tokenizer")) is not None:
        if tokenizer not in _TOKENIZERS:
            raise wrong_input(f"a tokenizer is one of {sorted(_TOKENIZERS)}, not {shown(tokenizer)}")
        settings["tokenizer"] = _TOKENIZERS[tokenizer]
    try:
        return _PARAMS[kind](**settings)
    except (TypeError, ValueError, OverflowError) as error:
        raise wrong_input(f"the settings of the {kind} index are wrong: {str(error).splitlines()[0]}") from error


def describe_payload_schema(schema: "dict[str, edge.PayloadIndexInfo]") -> dict[str, Any]:
    return {field: _describe(info) for field, info in schema.items()}


def _describe(info: "edge.PayloadIndexInfo") -> dict[str, Any]:
    kind = _enum_name(info.data_type)
    described: dict[str, Any] = {"data_type": kind, "points": info.points}
    if info.params is not None:
        values = {name: getattr(info.params, name, None) for name in _ATTRIBUTES}
        params = {name: _plain(value) for name, value in values.items() if value is not None}
        described["params"] = {"type": kind, **params}
    return described


def _plain(value: object) -> object:
    return value if isinstance(value, bool | int | str) else _enum_name(value)


def _enum_name(value: object) -> str:
    """The engine's enumerations print as `Class.Name`."""
    return (value.name if isinstance(value, Enum) else str(value)).rsplit(".", 1)[-1].lower()
