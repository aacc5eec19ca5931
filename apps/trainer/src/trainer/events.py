"""What the trainer says: one JSON object a line, on stdout and in outputDir/events.ndjson. Mirrored in
packages/core/src/train/trainer-events.ts; a run recorded by the tests here is parsed by the tests there."""

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat
from pydantic.alias_generators import to_camel

from trainer.failure import FailureCode


class Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel, validate_by_name=True)


class Drop(Record):
    """An example that was left out. `ref` is `train:12` or `eval:3`: the split and the line, counted from 1."""

    ref: str
    code: str
    reason: str


class Started(Record):
    type: Literal["started"] = "started"
    base_model: str
    parameters: int
    trainable_parameters: int
    train_examples: int
    eval_examples: int
    dropped: list[Drop]
    """The first 1,000; `droppedTotal` counts all."""
    dropped_total: int
    total_steps: int
    resumed_from_step: int
    """0 for a fresh run. Steps and evaluations after it that an earlier attempt reported are repeated, equal."""
    tokens_per_epoch: int


class Step(Record):
    """`loss` is the mean over the labelled tokens of the step; `tokens` are its tokens, padding not counted."""

    type: Literal["step"] = "step"
    step: int
    total_steps: int
    epoch: FiniteFloat
    loss: FiniteFloat
    learning_rate: FiniteFloat
    grad_norm: FiniteFloat
    tokens: int
    tokens_per_second: FiniteFloat
    memory_bytes: int
    """Peak CUDA memory of the process, or its resident set on a CPU."""
    eta_ms: int


class Evaluated(Record):
    type: Literal["eval"] = "eval"
    step: int
    eval_loss: FiniteFloat


class Sample(Record):
    """What the weights of this moment answer to a held-out question."""

    question: str
    """The conversation's last words before the answer: with passages, where the example has them."""
    expected: str
    answer: str
    complete: bool
    """False when sampleTokens cut it off."""


class Sampled(Record):
    """Before each evaluation, the same questions in the same order."""

    type: Literal["samples"] = "samples"
    step: int
    samples: list[Sample]


class Checkpointed(Record):
    type: Literal["checkpoint"] = "checkpoint"
    step: int
    path: str
    eval_loss: FiniteFloat | None


class Log(Record):
    type: Literal["log"] = "log"
    level: Literal["info", "warning"]
    message: str


class Finished(Record):
    type: Literal["finished"] = "finished"
    steps: int
    loss_first: FiniteFloat
    """Means over the learned tokens of the first and of the last `lossWindow` steps: batches differ in kind, so the
    losses of single steps say little."""
    loss_last: FiniteFloat
    loss_window: int
    eval_loss_first: FiniteFloat | None
    """Before the first step: the base model's."""
    eval_loss: FiniteFloat | None
    """Of the weights that are kept, as they stood after `keptStep`."""
    kept_step: int
    """The step whose weights were exported; the last one when there is no evaluation."""
    tokens_per_second: FiniteFloat
    """Over training steps only: loading, evaluation and checkpoints are not counted."""
    tokens_total: int
    duration_ms: int
    """Of all attempts together."""
    adapter_dir: str
    """outputDir/adapter, or outputDir/model for method full."""
    stopped_early: bool


class Stopped(Record):
    """Asked to stop: the step was finished and a checkpoint saved; the same command resumes."""

    type: Literal["stopped"] = "stopped"
    step: int


class Failed(Record):
    type: Literal["failed"] = "failed"
    code: FailureCode
    message: str
    action: str


Event = Annotated[
    Started | Step | Sampled | Evaluated | Checkpointed | Log | Finished | Stopped | Failed,
    Field(discriminator="type"),
]


class Emitter:
    """Writes each event to `stream_fd` and, once `open` was called, to outputDir/events.ndjson."""

    def __init__(self, stream_fd: int, on_listener_gone: Callable[[], None]):
        self._stream_fd: int | None = stream_fd
        self._file_fd: int | None = None
        self._on_listener_gone = on_listener_gone

    def open(self, path: Path) -> None:
        """Appends to what earlier attempts wrote; a line torn by a kill is cut off."""
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        if path.is_file():
            content = path.read_bytes()
            os.ftruncate(fd, content.rfind(b"\n") + 1)
        self._file_fd = fd

    def close(self) -> None:
        if self._file_fd is not None:
            os.close(self._file_fd)
            self._file_fd = None

    def emit(self, event: Record) -> None:
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        fields = {"at": at, **event.model_dump(by_alias=True, mode="json")}
        line = (json.dumps(fields, ensure_ascii=False, allow_nan=False) + "\n").encode()
        if self._stream_fd is not None:
            try:
                _write_all(self._stream_fd, line)
            except BrokenPipeError:
                # Whoever started us is gone: end like a stop, so that no orphan keeps the machine busy.
                self._stream_fd = None
                self._on_listener_gone()
        if self._file_fd is not None:
            try:
                _write_all(self._file_fd, line)
            except OSError:
                if not isinstance(event, Failed):
                    raise


def _write_all(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]
