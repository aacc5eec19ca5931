import os

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

from pathlib import Path

import pytest
import torch

from tiny import make_lines, make_model, write_lines
from trainer.config import TrainerConfig

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory) -> Path:
    return make_model(tmp_path_factory.mktemp("model") / "tiny-llama")


@pytest.fixture(scope="session")
def data_folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write_lines(folder / "train.jsonl", make_lines(40))
    write_lines(folder / "eval.jsonl", make_lines(8, offset=100))
    return folder


@pytest.fixture
def settings(model_folder, data_folder, tmp_path) -> dict:
    """A config in its JSON form; tests change what they are about."""
    return {
        "baseModel": str(model_folder),
        "trainFile": str(data_folder / "train.jsonl"),
        "evalFile": str(data_folder / "eval.jsonl"),
        "outputDir": str(tmp_path / "out"),
        "seed": 3,
        "rank": 4,
        "alpha": 8.0,
        "dropout": 0.1,
        "learningRate": 1e-2,
        "epochs": 2,
        "batchSize": 4,
        "maxLength": 128,
        "precision": "float32",
        "evalEverySteps": 5,
        "saveEverySteps": 4,
        "sampleTokens": 4,
        "threads": 1,
    }


@pytest.fixture
def configure(settings):
    def make(**changes) -> TrainerConfig:
        return TrainerConfig.model_validate({**settings, **changes}, by_alias=True, by_name=False)

    return make
