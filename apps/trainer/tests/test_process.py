"""The program as others start it: a process, its exit code, its stdout, its signals."""

import fcntl
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from trainer import __main__ as program
from trainer.config import TrainerConfig
from trainer.events import Record
from trainer.stop import StopRequest
from trainer.training import train

SOURCE = Path(__file__).parents[1] / "src"


class Attempt:
    """One run of the program. Events are read from its stdout while it runs."""

    def __init__(self, settings: dict):
        folder = Path(settings["outputDir"]).parent
        config = folder / "config.json"
        config.write_text(json.dumps(settings), encoding="utf-8")
        self.errors = folder / "stderr.txt"
        with self.errors.open("ab") as stderr:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "trainer", "--config", str(config)],
                stdout=subprocess.PIPE,
                stderr=stderr,
                env={**os.environ, "PYTHONPATH": str(SOURCE)},
            )
        self.events: list[dict] = []

    def read_until(self, kind: str, step: int) -> None:
        for line in self.process.stdout:
            self.events.append(json.loads(line))
            if self.events[-1]["type"] == kind and self.events[-1]["step"] >= step:
                return
        raise AssertionError(f"ended before {kind} {step}: {self.events[-1:]} {self.errors.read_text()}")

    def end(self) -> int:
        self.events += [json.loads(line) for line in self.process.stdout]
        return self.process.wait(timeout=60)


def losses(events: list[dict]) -> dict:
    return {
        (event["type"], event["step"]): event.get("loss", event.get("evalLoss"))
        for event in events
        if event["type"] in ("step", "eval")
    }


def test_a_run_that_was_killed_and_then_stopped_ends_as_if_nothing_had_happened(settings, tmp_path):
    # Long enough that the signals arrive while it runs; evaluation and checkpoints fall between and on the kill.
    settings |= {"epochs": 40, "evalEverySteps": 50, "saveEverySteps": 17}
    whole = tmp_path / "whole"
    seen: list[Record] = []
    config = TrainerConfig.model_validate({**settings, "outputDir": str(whole)}, by_alias=True, by_name=False)
    whole.mkdir()
    train(config, seen.append, StopRequest())
    uninterrupted = [event.model_dump(by_alias=True) for event in seen]

    killed = Attempt(settings)
    killed.read_until("step", 60)
    killed.process.kill()
    assert killed.end() == -signal.SIGKILL

    stopped = Attempt(settings)
    stopped.read_until("step", 150)
    stopped.process.terminate()
    assert stopped.end() == 0
    resumed_from = next(event for event in stopped.events if event["type"] == "started")["resumedFromStep"]
    assert 50 <= resumed_from < 400
    at = stopped.events[-1]
    assert at["type"] == "stopped"
    assert stopped.events[-2]["type"] == "checkpoint"
    assert stopped.events[-2]["step"] == at["step"] < 400

    resumed = Attempt(settings)
    assert resumed.end() == 0
    assert next(event for event in resumed.events if event["type"] == "started")["resumedFromStep"] == at["step"]

    together = [*killed.events, *stopped.events, *resumed.events]
    assert losses(together) == losses(uninterrupted)
    file = "adapter/adapter_model.safetensors"
    assert (tmp_path / "out" / file).read_bytes() == (whole / file).read_bytes()
    # Except for what the kill tore off in flight, the file says what stdout said.
    written = [json.loads(line) for line in (tmp_path / "out" / "events.ndjson").read_text().splitlines()]
    assert losses(written) == losses(together)
    assert written[-1] == resumed.events[-1]


def start(settings, capfd, changes=None) -> tuple[int, list[dict]]:
    """In this process, for what ends before or just after torch is loaded."""
    config = Path(settings["outputDir"]).parent / "config.json"
    config.write_text(json.dumps({**settings, **(changes or {})}), encoding="utf-8")
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    stdout = os.dup(1)
    try:
        code = program.main(["--config", str(config)])
    finally:
        os.dup2(stdout, 1)
        os.close(stdout)
        for number, handler in handlers.items():
            signal.signal(number, handler)
    return code, [json.loads(line) for line in capfd.readouterr().out.splitlines()]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"rank": -1}, "INVALID_INPUT"),
        ({"baseModel": "absent-org/absent-model"}, "MODEL_UNKNOWN"),
        ({"trainFile": "/dev/null"}, "DATASET_EMPTY"),
        ({"trainFile": "absent.jsonl"}, "INVALID_INPUT"),
        ({"outputDir": "/dev/null/out"}, "INVALID_INPUT"),
        ({"learningRate": 1e30, "method": "full", "warmupRatio": 0.0, "maxGradNorm": None}, "TRAINING_FAILED"),
        ({"method": "qlora", "precision": "bfloat16"}, "INVALID_INPUT"),
    ],
)
def test_a_failure_is_one_event_that_says_what_to_do(settings, capfd, changes, code):
    status, seen = start(settings, capfd, changes)
    assert status == 1
    assert [event["type"] for event in seen].count("failed") == 1
    assert seen[-1]["code"] == code
    assert len(seen[-1]["message"].split()) > 3
    assert len(seen[-1]["action"].split()) > 3


def test_a_full_disk_is_told_on_stdout(settings, capfd):
    out = Path(settings["outputDir"])
    out.mkdir()
    (out / "events.ndjson").symlink_to("/dev/full")
    status, seen = start(settings, capfd)
    assert status == 1
    assert seen[-1]["code"] == "DISK_FULL"


def test_a_line_torn_by_a_kill_is_cut_off_before_the_next_attempt_writes(settings, capfd):
    out = Path(settings["outputDir"])
    out.mkdir()
    (out / "events.ndjson").write_bytes(b'{"type":"log"}\n{"type":"ste')
    start(settings, capfd, {"trainFile": "/dev/null"})
    kinds = [json.loads(line)["type"] for line in (out / "events.ndjson").read_text().splitlines()]
    assert kinds == ["log", "failed"]


def test_a_second_trainer_on_the_same_folder_is_refused(settings, capfd, monkeypatch):
    monkeypatch.setattr(program, "_LOCK_WAIT_SECONDS", 0)
    out = Path(settings["outputDir"])
    out.mkdir()
    with (out / ".lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        status, seen = start(settings, capfd)
    assert status == 1
    assert "Another trainer" in seen[-1]["message"]


def test_a_trainer_whose_parent_is_gone_saves_and_ends(settings):
    attempt = Attempt({**settings, "epochs": 1000})
    attempt.read_until("step", 5)
    attempt.process.stdout.close()
    assert attempt.process.wait(timeout=60) == 0
    written = [json.loads(line) for line in (Path(settings["outputDir"]) / "events.ndjson").read_text().splitlines()]
    assert [event["type"] for event in written[-2:]] == ["checkpoint", "stopped"]
