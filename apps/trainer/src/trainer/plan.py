"""Which examples make up which step, and at what learning rate: pure functions of the lengths, the config and the seed.

Because the whole run is planned before it starts, the position in the data is the step number, and nothing else needs
to be saved for a resumed run to see exactly the batches that an uninterrupted one sees.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

from trainer.config import TrainerConfig

Batch = list[int]
"""Indices of the examples of one forward pass."""

_MEGABATCH_BATCHES = 50


@dataclass(frozen=True)
class PlannedStep:
    epoch: float
    """Epochs completed after this step."""
    batches: list[Batch]
    """One a forward pass; their gradients are added up."""


def plan_run(lengths: Sequence[int], config: TrainerConfig) -> list[PlannedStep]:
    steps: list[PlannedStep] = []
    for epoch in range(config.epochs):
        batches = plan_epoch(lengths, config, epoch)
        for start in range(0, len(batches), config.gradient_accumulation):
            window = batches[start : start + config.gradient_accumulation]
            steps.append(PlannedStep(epoch + (start + len(window)) / len(batches), window))
            if len(steps) == config.max_steps:
                return steps
    return steps


def plan_epoch(lengths: Sequence[int], config: TrainerConfig, epoch: int) -> list[Batch]:
    """Every example exactly once. Sorted by length inside shuffled megabatches: little padding, and still a new mix
    in every epoch. The order of the batches is shuffled again, so that long ones do not come first."""
    rng = random.Random(f"{config.seed}:{epoch}")
    order = list(range(len(lengths)))
    rng.shuffle(order)
    mean_rows = config.batch_size or max(1, config.batch_tokens * len(lengths) // sum(lengths))
    # A small set still gets at least four megabatches, or every epoch would hold the same batches.
    size = mean_rows * max(1, min(_MEGABATCH_BATCHES, len(lengths) // (4 * mean_rows)))
    cut = _pack if config.packing == "packed" else _group
    batches: list[Batch] = []
    for start in range(0, len(order), size):
        megabatch = sorted(order[start : start + size], key=lambda index: -lengths[index])
        batches.extend(cut(megabatch, lengths, config))
    rng.shuffle(batches)
    if epoch == 0:
        # The largest batch goes first: a run that does not fit in memory fails at once, not hours later.
        largest = max(range(len(batches)), key=lambda i: len(batches[i]) * max(lengths[j] for j in batches[i]))
        batches.insert(0, batches.pop(largest))
    return batches


def plan_evaluation(lengths: Sequence[int], config: TrainerConfig) -> list[Batch]:
    order = sorted(range(len(lengths)), key=lambda index: -lengths[index])
    return (_pack if config.packing == "packed" else _group)(order, lengths, config)


def _group(order: Sequence[int], lengths: Sequence[int], config: TrainerConfig) -> list[Batch]:
    """Consecutive runs of an order from long to short, so that the first example of a batch is its padded length."""
    batches: list[Batch] = []
    for index in order:
        batch = batches[-1] if batches else None
        if batch is None or not _has_room(batch, lengths, config):
            batches.append([index])
        else:
            batch.append(index)
    return batches


def _has_room(batch: Batch, lengths: Sequence[int], config: TrainerConfig) -> bool:
    if config.batch_size is not None:
        return len(batch) < config.batch_size
    return (len(batch) + 1) * lengths[batch[0]] <= config.batch_tokens


def _pack(order: Sequence[int], lengths: Sequence[int], config: TrainerConfig) -> list[Batch]:
    """First-fit decreasing (Johnson 1973: at most 11/9 of the optimal number of bins, plus 6/9)."""
    capacity = config.batch_tokens or config.batch_size * config.max_length
    batches: list[Batch] = []
    free: list[int] = []
    for index in order:
        bin = next((i for i, room in enumerate(free) if room >= lengths[index]), None)
        if bin is None:
            batches.append([index])
            free.append(capacity - lengths[index])
        else:
            batches[bin].append(index)
            free[bin] -= lengths[index]
    return batches


def learning_rate_at(step: int, total_steps: int, config: TrainerConfig) -> float:
    """Of the step with this number, counted from 1. Linear warm-up to the peak, then the schedule down towards zero."""
    warmup = math.ceil(config.warmup_ratio * total_steps)
    if step <= warmup:
        return config.learning_rate * step / warmup
    if config.schedule == "constant":
        return config.learning_rate
    progress = (step - warmup - 1) / max(1, total_steps - warmup)
    if config.schedule == "linear":
        return config.learning_rate * (1 - progress)
    return config.learning_rate * (1 + math.cos(math.pi * progress)) / 2


def loss_window(total_steps: int) -> int:
    """Over how many steps a run's first and last loss are averaged: ten, or half of a short run, so that the two never
    share a step. Mirrored in packages/core/src/train/loss-window.ts."""
    return max(1, min(10, total_steps // 2))
