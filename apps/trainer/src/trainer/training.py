"""The training loop. Why it is a plain one: docs/decisions/2026-11-21-trainer-loop.md.

A run is a line of numbered steps, planned before the first. At each step number it does, in this order and each only
when due: evaluate, save a checkpoint, end or stop, train the next step. All it knows about where it stands is
`Progress`, so resuming is loading one and going on.
"""

import hashlib
import json
import math
import random
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from trainer import events
from trainer.checkpoint import CheckpointStore, Progress
from trainer.config import TrainerConfig
from trainer.device import choose_device
from trainer.examples import ExampleSet, load_examples
from trainer.export import export_model
from trainer.failure import TrainerError
from trainer.model import (
    LabelledForward,
    computed_in,
    load_model,
    load_tokenizer,
    memory_bytes,
    require_isolation,
    trainable_parameters,
)
from trainer.plan import PlannedStep, learning_rate_at, loss_window, plan_evaluation, plan_run
from trainer.samples import Prompt, answer_prompts, choose_prompts
from trainer.stop import StopRequest

_SHOWN_DROPS = 1_000

# These change where or how often something is written, not what is learned; the data is told by its digest.
_NOT_PART_OF_THE_RUN = {
    "base_model_id", "train_file", "eval_file", "output_dir", "save_every_steps", "keep_checkpoints", "threads",
    "sample_count", "sample_tokens", "gpu_memory_bytes",
}  # fmt: skip


def train(config: TrainerConfig, emit: Callable[[events.Record], None], stop: StopRequest) -> None:
    """Ends with a `finished` or a `stopped` event. Raises TrainerError and whatever torch raises."""
    Training(config, emit, stop).run()


class Training:
    def __init__(self, config: TrainerConfig, emit: Callable[[events.Record], None], stop: StopRequest):
        self._config = config
        self._emit = emit
        self._stop = stop
        self._started_at = time.monotonic()
        self._device = choose_device(config)
        if config.threads is not None:
            torch.set_num_threads(config.threads)
        random.seed(config.seed)
        np.random.seed(config.seed)
        torch.manual_seed(config.seed)

        self._tokenizer = load_tokenizer(config)
        self.train_set = self._load("train", config.train_file)
        self._eval_set = None if config.eval_file is None else self._load("eval", config.eval_file)
        self.plan = plan_run([len(example) for example in self.train_set.examples], config)
        self._planned_tokens = sum(map(self._tokens_of, self.plan))
        self._log("info", f"Loading {config.recorded_base_model} on {self._device.type}.")
        if config.precision == "bfloat16" and computed_in(config, self._device) == torch.float32:
            self._log("info", "Computing in float32: this CPU has no fast instructions for bfloat16.")
        self._model = load_model(config, self._device)
        self._model.train()
        self._forward = LabelledForward(self._model, config)
        if config.packing == "packed":
            require_isolation(self._model, self._forward, sorted(self.train_set.examples, key=len)[:2])
        self._prompts = self._choose_prompts()
        self._parameters = trainable_parameters(self._model)
        self._optimizer = self._create_optimizer()
        self._store = CheckpointStore(Path(config.output_dir) / "checkpoints", self._digest(), config.keep_checkpoints)
        self._progress = Progress()
        self._earlier_duration_ms = 0
        self._evaluation_seconds = 0.0
        self._sampling_seconds = 0.0

    def run(self) -> None:
        resumed = self._store.load_newest(self._parameters, self._optimizer, lambda text: self._log("warning", text))
        if resumed is not None:
            self._progress = resumed
            self._earlier_duration_ms = resumed.duration_ms
        self._require_disk_space()
        self._emit(self._started())
        progress, last = self._progress, len(self.plan)
        saved_step = progress.step
        while True:
            improved = self._evaluate_when_due()
            over = progress.step == last or progress.stopped_early
            due = over or self._stop.requested or progress.step % self._config.save_every_steps == 0
            if improved or (due and progress.step > saved_step):
                self._save()
                saved_step = progress.step
            if self._stop.requested:
                self._emit(events.Stopped(step=progress.step))
                return
            if over:
                self._finish()
                return
            self.train_step(self.plan[progress.step])

    def train_step(self, planned: PlannedStep) -> None:
        progress, config = self._progress, self._config
        began = time.monotonic()
        number = progress.step + 1
        rate = learning_rate_at(number, len(self.plan), config)
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        batches = [[self.train_set.examples[index] for index in batch] for batch in planned.batches]
        # The mean over the labels of the whole step: accumulating gradients changes nothing but the memory it takes.
        label_count = sum(example.label_count for batch in batches for example in batch)
        loss = 0.0
        for batch in batches:
            part = self._forward.summed_loss(batch) / label_count
            part.backward()
            loss += part.item()
        norm = torch.nn.utils.clip_grad_norm_(self._parameters.values(), config.max_grad_norm or math.inf).item()
        if not (math.isfinite(loss) and math.isfinite(norm)):
            raise TrainerError(
                "TRAINING_FAILED",
                f"The loss or its gradient is no longer a number at step {number}.",
                'Lower learningRate, raise warmupRatio, or use precision "float32"; then begin in an empty outputDir.',
            )
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)

        seconds = time.monotonic() - began
        tokens = self._tokens_of(planned)
        progress.step = number
        self._remember_loss(loss * label_count, label_count)
        progress.tokens_total += tokens
        progress.training_seconds += seconds
        self._emit(
            events.Step(
                step=number,
                total_steps=len(self.plan),
                epoch=planned.epoch,
                loss=loss,
                learning_rate=rate,
                grad_norm=norm,
                tokens=tokens,
                tokens_per_second=tokens / seconds,
                memory_bytes=memory_bytes(self._device),
                eta_ms=self._eta_ms(),
            )
        )

    def _remember_loss(self, summed: float, label_count: int) -> None:
        progress, window = self._progress, loss_window(len(self.plan))
        if len(progress.first_losses) < window:
            progress.first_losses.append((summed, label_count))
        progress.last_losses = [*progress.last_losses, (summed, label_count)][-window:]

    def _evaluate_when_due(self) -> bool:
        """True when these are the best weights so far. One that a stop cut short is done again on resuming."""
        progress, config = self._progress, self._config
        due = progress.step % config.eval_every_steps == 0 or progress.step == len(self.plan)
        if self._eval_set is None or not due or progress.evaluated_step == progress.step:
            return False
        # Before the evaluation: what a stop cuts short is done again together.
        self._answer_samples()
        loss = self._evaluate(self._eval_set)
        if loss is None:
            return False
        self._emit(events.Evaluated(step=progress.step, eval_loss=loss))
        progress.evaluated_step, progress.eval_loss = progress.step, loss
        if progress.step == 0:
            progress.eval_loss_first = loss
            return False
        best = math.inf if progress.best_eval_loss is None else progress.best_eval_loss
        stopping = config.early_stopping
        if loss < best - (stopping.min_delta if stopping else 0.0):
            progress.evaluations_without_improvement = 0
        else:
            progress.evaluations_without_improvement += 1
        if stopping and progress.evaluations_without_improvement >= stopping.patience:
            progress.stopped_early = progress.step < len(self.plan)
        if loss < best:
            progress.best_eval_loss, progress.best_step = loss, progress.step
        return loss < best

    @torch.no_grad()
    def _evaluate(self, eval_set: ExampleSet) -> float | None:
        """The mean loss of a learned token of the evaluation split; None when asked to stop."""
        began = time.monotonic()
        total = 0.0
        with self._forward.evaluating():
            for batch in plan_evaluation([len(example) for example in eval_set.examples], self._config):
                if self._stop.requested:
                    return None
                total += self._forward.summed_loss([eval_set.examples[index] for index in batch]).item()
        loss = total / sum(example.label_count for example in eval_set.examples)
        if not math.isfinite(loss):
            raise TrainerError(
                "TRAINING_FAILED",
                f"The evaluation loss is not a number at step {self._progress.step}.",
                'Lower learningRate or use precision "float32"; then begin in an empty outputDir.',
            )
        self._evaluation_seconds = time.monotonic() - began
        return loss

    def _answer_samples(self) -> None:
        if not self._prompts:
            return
        began = time.monotonic()
        samples = answer_prompts(
            self._forward, self._tokenizer, self._prompts, self._config.sample_tokens, lambda: self._stop.requested
        )
        if samples is not None:
            self._emit(events.Sampled(step=self._progress.step, samples=samples))
        self._sampling_seconds = time.monotonic() - began

    def _choose_prompts(self) -> list[Prompt]:
        if self._eval_set is None or self._config.sample_count == 0:
            return []
        return choose_prompts(self._eval_set, Path(self._config.eval_file), self._config.sample_count)

    def _save(self) -> None:
        progress = self._progress
        progress.duration_ms = self._duration_ms()
        path = self._store.save(self._parameters, self._optimizer, progress)
        eval_loss = progress.eval_loss if progress.evaluated_step == progress.step else None
        self._emit(events.Checkpointed(step=progress.step, path=str(path), eval_loss=eval_loss))

    def _finish(self) -> None:
        progress, config = self._progress, self._config
        # Only who asks for early stopping trusts the evaluation to choose: a loss on what is held out need not fall
        # while more of what is taught is learned.
        chosen = config.early_stopping is not None and progress.best_eval_loss is not None
        kept_step = progress.best_step if chosen else progress.step
        target = Path(config.output_dir) / ("model" if config.method == "full" else "adapter")
        result = events.Finished(
            steps=progress.step,
            loss_first=_mean_loss(progress.first_losses),
            loss_last=_mean_loss(progress.last_losses),
            loss_window=loss_window(len(self.plan)),
            eval_loss_first=progress.eval_loss_first,
            eval_loss=progress.best_eval_loss if chosen else progress.eval_loss,
            kept_step=kept_step,
            tokens_per_second=progress.tokens_total / progress.training_seconds,
            tokens_total=progress.tokens_total,
            duration_ms=self._duration_ms(),
            adapter_dir=str(target),
            stopped_early=progress.stopped_early,
        )
        self._store.load_weights(kept_step, self._parameters)
        export_model(self._model, self._tokenizer, config, target, result, self.train_set.digest)
        self._emit(result)

    def _create_optimizer(self) -> torch.optim.Optimizer:
        # Norms and biases (one dimension) are not decayed, as is usual since GPT-2.
        matrices = [value for value in self._parameters.values() if value.ndim >= 2]
        vectors = [value for value in self._parameters.values() if value.ndim < 2]
        groups = [{"params": matrices, "weight_decay": self._config.weight_decay}]
        if vectors:
            groups.append({"params": vectors, "weight_decay": 0.0})
        return torch.optim.AdamW(groups, lr=self._config.learning_rate, fused=True)

    def _load(self, split: str, path: str) -> ExampleSet:
        loaded = load_examples(Path(path), split, self._tokenizer, self._config.max_length)
        if loaded.truncated:
            self._log(
                "warning",
                f"{loaded.truncated} {split} examples are longer than maxLength ({self._config.max_length} tokens) "
                "and lost the end of their answer.",
            )
        return loaded

    def _started(self) -> events.Started:
        drops = self.train_set.drops + (self._eval_set.drops if self._eval_set else [])
        return events.Started(
            base_model=self._config.recorded_base_model,
            parameters=sum(value.numel() for value in self._model.parameters()),
            trainable_parameters=sum(value.numel() for value in self._parameters.values()),
            train_examples=len(self.train_set.examples),
            eval_examples=len(self._eval_set.examples) if self._eval_set else 0,
            dropped=drops[:_SHOWN_DROPS],
            dropped_total=len(drops),
            total_steps=len(self.plan),
            resumed_from_step=self._progress.step,
            tokens_per_epoch=self.train_set.tokens,
        )

    def _require_disk_space(self) -> None:
        weights = sum(value.numel() * value.element_size() for value in self._parameters.values())
        # A checkpoint is the weights and the two moments of AdamW; one is written before the oldest is removed, the
        # best one is kept beside the newest, and the export follows.
        needed = 3 * weights * max(1, self._config.keep_checkpoints + 2 - self._store.count()) + weights
        free = shutil.disk_usage(self._config.output_dir).free
        if free < needed:
            raise TrainerError(
                "DISK_FULL",
                f"The output folder has {free / 1e6:,.0f} MB free; this run's checkpoints need {needed / 1e6:,.0f} MB.",
                "Free space, choose another outputDir, or lower keepCheckpoints or rank.",
            )

    def _digest(self) -> str:
        facts = self._config.model_dump(exclude=_NOT_PART_OF_THE_RUN)
        facts["train"] = self.train_set.digest
        facts["eval"] = self._eval_set.digest if self._eval_set else None
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()

    def _eta_ms(self) -> int:
        progress = self._progress
        ahead = self._planned_tokens - progress.tokens_total
        evaluations = math.ceil((len(self.plan) - progress.step) / self._config.eval_every_steps)
        training = ahead * progress.training_seconds / progress.tokens_total
        return round(1000 * (training + evaluations * (self._evaluation_seconds + self._sampling_seconds)))

    def _tokens_of(self, planned: PlannedStep) -> int:
        return sum(len(self.train_set.examples[index]) for batch in planned.batches for index in batch)

    def _duration_ms(self) -> int:
        return self._earlier_duration_ms + round(1000 * (time.monotonic() - self._started_at))

    def _log(self, level: str, message: str) -> None:
        self._emit(events.Log(level=level, message=message))


def _mean_loss(steps: list[tuple[float, int]]) -> float:
    return sum(summed for summed, _ in steps) / sum(count for _, count in steps)
