"""Checkpoints: a folder each, written under another name and renamed, so that one is complete or absent.

checkpoints/step-00000020/
    weights.safetensors   the trainable parameters, float32
    state.pt              the optimizer and the random-number generators
    progress.json         where the run stands, and which run it is
"""

import json
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict
from safetensors.torch import load_file, save_file

from trainer.failure import TrainerError

_TEMPORARY = ".tmp-"

Parameters = dict[str, torch.nn.Parameter]


class Progress(BaseModel):
    """All that the loop knows besides weights, optimizer and generators. The learning rate and the position in the data
    are functions of the step."""

    model_config = ConfigDict(extra="forbid")

    step: int = 0
    evaluated_step: int = -1
    eval_loss: float | None = None
    eval_loss_first: float | None = None
    best_eval_loss: float | None = None
    best_step: int = 0
    evaluations_without_improvement: int = 0
    stopped_early: bool = False
    first_losses: list[tuple[float, int]] = []
    """The summed loss and the learned tokens of the first steps, at most `loss_window` of them."""
    last_losses: list[tuple[float, int]] = []
    tokens_total: int = 0
    training_seconds: float = 0.0
    duration_ms: int = 0


class CheckpointStore:
    def __init__(self, folder: Path, run_digest: str, keep: int):
        self._folder = folder
        self._run_digest = run_digest
        self._keep = keep
        folder.mkdir(parents=True, exist_ok=True)
        for leftover in folder.glob(f"{_TEMPORARY}*"):
            shutil.rmtree(leftover, ignore_errors=True)

    def path(self, step: int) -> Path:
        return self._folder / f"step-{step:08d}"

    def count(self) -> int:
        return len(self._complete())

    def save(self, parameters: Parameters, optimizer: torch.optim.Optimizer, progress: Progress) -> Path:
        target = self.path(progress.step)
        if target.exists():
            # The same step of the same run has the same weights; only what was learned about them since is new.
            self._write_progress(target, progress)
            return target
        temporary = self._folder / f"{_TEMPORARY}{target.name}"
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir()
        save_file({name: value.detach().cpu() for name, value in parameters.items()}, temporary / "weights.safetensors")
        with (temporary / "state.pt").open("wb") as file:  # torch's own writer hides why it could not write
            torch.save({"optimizer": optimizer.state_dict(), **_generators()}, file)
        self._write_progress(temporary, progress)
        publish(temporary, target)
        self._rotate(progress.best_step)
        return target

    def load_newest(
        self, parameters: Parameters, optimizer: torch.optim.Optimizer, warn: Callable[[str], None]
    ) -> Progress | None:
        """A damaged checkpoint is reported and set aside for the one before it. Raises INVALID_INPUT when the folder
        belongs to another run."""
        for path in reversed(self._complete()):
            try:
                record = json.loads((path / "progress.json").read_text(encoding="utf-8"))
                digest, progress = record["run"], Progress.model_validate(record["progress"])
                if digest == self._run_digest:
                    state = torch.load(path / "state.pt", map_location="cpu", weights_only=True)
                    self.load_weights(progress.step, parameters)
                    optimizer.load_state_dict(state["optimizer"])
                    _restore_generators(state)
                    return progress
            except Exception as error:  # whatever a damaged file makes its reader raise
                warn(f"{path.name} is damaged ({type(error).__name__}: {error}); the checkpoint before it is used.")
                self._remove(path)
                continue
            raise TrainerError(
                "INVALID_INPUT",
                f"The output folder {self._folder.parent} holds the checkpoints of another run "
                "(other data, base model or hyper-parameters).",
                "Choose an empty outputDir, or restore the config that began this run.",
            )
        return None

    @torch.no_grad()
    def load_weights(self, step: int, parameters: Parameters) -> None:
        saved = load_file(self.path(step) / "weights.safetensors")
        if saved.keys() != parameters.keys():
            raise ValueError("its weights are not those of this model")
        for name, parameter in parameters.items():
            parameter.copy_(saved[name])

    def _complete(self) -> list[Path]:
        return sorted(self._folder.glob("step-*"))

    def _write_progress(self, folder: Path, progress: Progress) -> None:
        record = {"run": self._run_digest, "progress": progress.model_dump()}
        temporary = folder / f"{_TEMPORARY}progress.json"
        temporary.write_text(json.dumps(record, indent=2), encoding="utf-8")
        _sync(temporary)
        temporary.replace(folder / "progress.json")

    def _rotate(self, best_step: int) -> None:
        for path in self._complete()[: -self._keep]:
            if path != self.path(best_step):
                self._remove(path)

    def _remove(self, path: Path) -> None:
        doomed = self._folder / f"{_TEMPORARY}removed-{path.name}"
        path.rename(doomed)
        shutil.rmtree(doomed)


def publish(temporary: Path, target: Path) -> None:
    """Makes a finished folder appear under its name at once, also after a power cut. Replaces an older one."""
    for path in temporary.rglob("*"):
        if path.is_file():
            # safetensors makes its files private; the engine that serves them may be another user.
            path.chmod(0o644)
            _sync(path)
    _sync(temporary)
    if target.exists():
        shutil.rmtree(target)
    temporary.rename(target)
    _sync(target.parent)


def _sync(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _generators() -> dict[str, object]:
    name, keys, *rest = np.random.get_state()
    return {
        "python": random.getstate(),
        "numpy": (name, torch.from_numpy(keys.astype(np.int64)), *rest),
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }


def _restore_generators(state: dict) -> None:
    random.setstate(state["python"])
    name, keys, *rest = state["numpy"]
    np.random.set_state((name, keys.numpy().astype(np.uint32), *rest))
    torch.set_rng_state(state["torch"])
    if state["cuda"] and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(state["cuda"])
