"""Records the samples that the TypeScript tests of packages/core/src/train parse. Run it when events or config change:

PYTHONPATH=src:tests python tests/record_sample.py
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tiny import make_lines, make_model, write_lines
from trainer.config import TrainerConfig

HERE = Path(__file__).parent
SAMPLES = HERE.parents[2] / "packages" / "core" / "src" / "train"
MINIMAL = {
    "baseModel": "tiny-llama",
    "trainFile": "train.jsonl",
    "evalFile": "eval.jsonl",
    "outputDir": "out",
    "batchTokens": 2048,
}


def record(folder: Path) -> str:
    make_model(folder / "tiny-llama")
    write_lines(folder / "train.jsonl", [*make_lines(12), {"messages": [{"role": "user", "content": "No answer."}]}])
    write_lines(folder / "eval.jsonl", make_lines(4, offset=100))
    settings = {**MINIMAL, "learningRate": 1e-2, "maxSteps": 4, "evalEverySteps": 2, "threads": 1}
    settings |= {"batchTokens": None, "batchSize": 4}
    recorded = ""
    # A finished run; then the same folder with a config that belongs to another run, which fails.
    for changes in ({}, {"rank": 8}):
        (folder / "config.json").write_text(json.dumps({**settings, **changes}))
        command = [sys.executable, "-m", "trainer", "--config", "config.json"]
        environment = {**os.environ, "PYTHONPATH": str(HERE.parent / "src")}
        done = subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True, check=False)
        recorded += done.stdout
    # And one that is asked to stop as soon as it speaks.
    (folder / "config.json").write_text(json.dumps({**settings, "outputDir": "other"}))
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True) as stopped:
        recorded += stopped.stdout.readline()
        stopped.terminate()
        recorded += stopped.stdout.read()
    return recorded


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        (SAMPLES / "trainer-events.sample.ndjson").write_text(record(Path(name)), encoding="utf-8")
    defaults = TrainerConfig.model_validate(MINIMAL, by_alias=True).model_dump(by_alias=True)
    (SAMPLES / "trainer-config.sample.json").write_text(json.dumps(defaults, indent=2) + "\n", encoding="utf-8")
