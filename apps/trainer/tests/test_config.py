import json

import pytest

from trainer.config import load_config
from trainer.failure import TrainerError


def refuse(tmp_path, content: str) -> str:
    path = tmp_path / "config.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(TrainerError) as caught:
        load_config(path)
    assert caught.value.code == "INVALID_INPUT"
    return caught.value.message


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"learningrate": 1e-4}, "learningrate: Extra inputs are not permitted"),
        ({"learning_rate": 1e-4}, "learning_rate: Extra inputs are not permitted"),
        ({"rank": "8"}, "rank: Input should be a valid integer"),
        ({"rank": 0}, "rank: Input should be greater than or equal to 1"),
        ({"method": "magic"}, "method: Input should be 'lora'"),
        ({"targetModules": []}, "targetModules"),
        ({"batchTokens": 256}, "exactly one of batchTokens and batchSize"),
        ({"batchSize": None}, "exactly one of batchTokens and batchSize"),
        ({"batchSize": None, "batchTokens": 64}, "batchTokens (64) must be at least maxLength (128)"),
        ({"evalFile": None, "earlyStopping": {"patience": 2}}, "earlyStopping needs an evalFile"),
        ({"earlyStopping": {"patience": 2, "delta": 1}}, "earlyStopping.delta: Extra inputs"),
    ],
)
def test_refuses_a_wrong_config_and_names_the_field(tmp_path, settings, changes, expected):
    assert expected in refuse(tmp_path, json.dumps({**settings, **changes}))


def test_names_every_fault_at_once(tmp_path, settings):
    message = refuse(tmp_path, json.dumps({**settings, "rank": 0, "epochs": 0}))
    assert "rank" in message
    assert "epochs" in message


@pytest.mark.parametrize("content", ["", "{", "[]", "null"])
def test_refuses_what_is_no_json_object(tmp_path, content):
    assert "config" in refuse(tmp_path, content)


def test_refuses_a_missing_file(tmp_path):
    with pytest.raises(TrainerError, match="cannot be read"):
        load_config(tmp_path / "absent.json")


def test_records_the_name_of_a_local_base_model_and_not_its_path(configure):
    assert configure().recorded_base_model == "tiny-llama"
    assert configure(baseModelId="org/model").recorded_base_model == "org/model"
    assert configure(baseModel="org/other").recorded_base_model == "org/other"
