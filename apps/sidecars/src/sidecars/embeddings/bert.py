"""A BERT encoder with sentence pooling, in plain torch.

transformers gives the same vectors (the tests hold this encoder against it), but takes 240 MB and 4 s more at start for
what is a page of arithmetic: Devlin et al., "BERT" (2019), https://arxiv.org/abs/1810.04805.
Names of weights are those of Hugging Face's BertModel.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.nn.functional import gelu, layer_norm, linear, normalize, scaled_dot_product_attention


class UnsupportedModelError(Exception):
    """The model directory holds something that this encoder cannot run."""


@dataclass(frozen=True)
class BertSettings:
    layers: int
    heads: int
    hidden: int
    epsilon: float
    max_tokens: int
    pools_mean: bool
    """The vector of a text is the mean of its tokens' vectors; otherwise it is that of the first token."""


def read_settings(directory: Path) -> BertSettings:
    """Reads the directory of a sentence-transformers model. Raises UnsupportedModelError."""
    config = _read_json(directory / "config.json")
    for key, supported in (("model_type", "bert"), ("hidden_act", "gelu"), ("position_embedding_type", "absolute")):
        if config.get(key, supported) != supported:
            raise UnsupportedModelError(f"{key} is {config[key]!r} and must be {supported!r}")
    pooling = _read_json(directory / "1_Pooling" / "config.json")
    modes = [name for name, value in pooling.items() if name.startswith("pooling_mode_") and value]
    if modes not in (["pooling_mode_mean_tokens"], ["pooling_mode_cls_token"]):
        raise UnsupportedModelError(f"the pooling is {modes} and must be that of the mean or of the first token")
    sentence = _read_json(directory / "sentence_bert_config.json")
    return BertSettings(
        layers=config["num_hidden_layers"],
        heads=config["num_attention_heads"],
        hidden=config["hidden_size"],
        epsilon=config["layer_norm_eps"],
        max_tokens=min(sentence["max_seq_length"], config["max_position_embeddings"]),
        pools_mean=modes == ["pooling_mode_mean_tokens"],
    )


class BertEncoder:
    def __init__(self, directory: Path, settings: BertSettings) -> None:
        self._settings = settings
        weights = load_file(directory / "model.safetensors")
        self._weights = {name.removeprefix("bert."): weight.float() for name, weight in weights.items()}

    @torch.inference_mode()
    def encode(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Embeds token ids (batch x tokens) under their mask (1 = token, 0 = padding): batch x hidden, of length 1."""
        x = self._embed(ids)
        attention_mask = mask[:, None, None, :].bool()
        for layer in range(self._settings.layers):
            x = self._layer(f"encoder.layer.{layer}", x, attention_mask)
        if not self._settings.pools_mean:
            return normalize(x[:, 0], dim=1)
        counted = mask.unsqueeze(-1).float()
        return normalize((x * counted).sum(dim=1) / counted.sum(dim=1), dim=1)

    def _embed(self, ids: Tensor) -> Tensor:
        w = self._weights
        x = w["embeddings.word_embeddings.weight"][ids]
        x = x + w["embeddings.position_embeddings.weight"][: ids.shape[1]]
        x = x + w["embeddings.token_type_embeddings.weight"][0]
        return self._norm("embeddings.LayerNorm", x)

    def _layer(self, name: str, x: Tensor, attention_mask: Tensor) -> Tensor:
        batch, tokens, hidden = x.shape
        heads = self._settings.heads
        query, key, value = (
            self._linear(f"{name}.attention.self.{part}", x).view(batch, tokens, heads, -1).transpose(1, 2)
            for part in ("query", "key", "value")
        )
        attended = scaled_dot_product_attention(query, key, value, attn_mask=attention_mask)
        attended = attended.transpose(1, 2).reshape(batch, tokens, hidden)
        attended = self._linear(f"{name}.attention.output.dense", attended)
        x = self._norm(f"{name}.attention.output.LayerNorm", attended + x)
        wide = gelu(self._linear(f"{name}.intermediate.dense", x))
        return self._norm(f"{name}.output.LayerNorm", self._linear(f"{name}.output.dense", wide) + x)

    def _linear(self, name: str, x: Tensor) -> Tensor:
        return linear(x, self._weights[f"{name}.weight"], self._weights[f"{name}.bias"])

    def _norm(self, name: str, x: Tensor) -> Tensor:
        weight, bias = self._weights[f"{name}.weight"], self._weights[f"{name}.bias"]
        return layer_norm(x, (self._settings.hidden,), weight, bias, self._settings.epsilon)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise UnsupportedModelError(f"{path.name} cannot be read ({error})") from error
    if not isinstance(content, dict):
        raise UnsupportedModelError(f"{path.name} is not an object")
    return content
