import json
from pathlib import Path

import pytest

from tiny import make_lines, make_tokenizer
from trainer.examples import load_examples
from trainer.failure import TrainerError


def load(path: Path, max_length: int = 256):
    return load_examples(path, "train", make_tokenizer(), max_length)


def test_every_line_is_an_example_or_a_drop_with_its_line_number_and_reason(tmp_path):
    good = json.dumps(make_lines(1)[0]).encode()
    long = json.dumps({"messages": [{"role": "user", "content": "x y " * 500}, {"role": "assistant", "content": "z"}]})
    lines = [
        good,
        b"{not json",
        b"",
        b'{"messages": []}',
        b'{"messages": [{"role": "robot", "content": "x"}]}',
        b'{"messages": [{"role": "user", "content": ["x"]}]}',
        b"\xff\xfe{}",
        b"[" * 100_000,
        long.encode(),
        b'{"prompt": "x"}',
        good,
    ]
    path = tmp_path / "train.jsonl"
    path.write_bytes(b"\n".join(lines))
    loaded = load(path)
    assert len(loaded.examples) == 2
    assert [(drop.ref, drop.code) for drop in loaded.drops] == [
        ("train:2", "invalid-json"),
        ("train:4", "invalid-messages"),
        ("train:5", "invalid-messages"),
        ("train:6", "invalid-messages"),
        ("train:7", "invalid-json"),
        ("train:8", "invalid-json"),
        ("train:9", "truncated"),
        ("train:10", "invalid-messages"),
    ]
    assert all(drop.reason.endswith(".") for drop in loaded.drops)


def test_counts_answers_that_lost_their_end(tmp_path):
    path = tmp_path / "train.jsonl"
    path.write_text(json.dumps(make_lines(1)[0]), encoding="utf-8")
    length = len(load(path).examples[0])
    assert load(path, length).truncated == 0
    assert load(path, length - 3).truncated == 1


@pytest.mark.parametrize("content", ["", "\n\n", '{"messages": []}\n'])
def test_refuses_a_file_without_examples_and_says_why(tmp_path, content):
    path = tmp_path / "train.jsonl"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(TrainerError) as caught:
        load(path)
    assert caught.value.code == "DATASET_EMPTY"
    assert ("empty" in caught.value.message) == (not content.strip())


def test_refuses_a_file_that_cannot_be_read(tmp_path):
    with pytest.raises(TrainerError, match="No such file") as caught:
        load(tmp_path / "absent.jsonl")
    assert caught.value.code == "INVALID_INPUT"
