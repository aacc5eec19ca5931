import itertools
import random

import pytest

from trainer.plan import learning_rate_at, loss_window, plan_epoch, plan_evaluation, plan_run

SIZES = [{"batchSize": 8, "batchTokens": None}, {"batchSize": None, "batchTokens": 512}]
PACKINGS = ["length-grouped", "packed"]


def some_lengths(seed: int, count: int) -> list[int]:
    rng = random.Random(seed)
    return [rng.randint(5, 128) for _ in range(count)]


def padded(batch, lengths):
    return len(batch) * max(lengths[index] for index in batch)


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("count", [1, 2, 7, 64, 1000])
def test_an_epoch_holds_every_example_once_and_no_batch_over_its_limit(configure, packing, size, count):
    config = configure(packing=packing, **size)
    for seed in range(5):
        lengths = some_lengths(seed, count)
        for batches in (plan_epoch(lengths, config, seed), plan_evaluation(lengths, config)):
            assert sorted(index for batch in batches for index in batch) == list(range(count))
            for batch in batches:
                if packing == "packed":
                    assert sum(lengths[index] for index in batch) <= (config.batch_tokens or 8 * 128)
                elif config.batch_tokens:
                    assert padded(batch, lengths) <= config.batch_tokens
                else:
                    assert len(batch) <= 8


def test_length_grouping_pads_little_and_packing_leaves_little_empty(configure):
    lengths = some_lengths(1, 2000)
    grouped = plan_epoch(lengths, configure(), 0)
    assert sum(padded(batch, lengths) for batch in grouped) < 1.05 * sum(lengths)
    packed = plan_epoch(lengths, configure(packing="packed", batchSize=None, batchTokens=512), 0)
    assert len(packed) * 512 < 1.05 * sum(lengths)


def test_the_same_seed_gives_the_same_plan_and_another_seed_or_epoch_another(configure):
    lengths = some_lengths(2, 60)
    assert plan_run(lengths, configure()) == plan_run(lengths, configure())
    assert plan_run(lengths, configure()) != plan_run(lengths, configure(seed=4))
    epochs = [plan_epoch(lengths, configure(), epoch) for epoch in (0, 1)]
    mixes = [{frozenset(batch) for batch in batches} for batches in epochs]
    assert mixes[0] != mixes[1], "even a small set is mixed anew in every epoch"


def test_the_largest_batch_of_a_run_comes_first(configure):
    lengths = some_lengths(3, 100)
    batches = plan_epoch(lengths, configure(), 0)
    assert padded(batches[0], lengths) == max(padded(batch, lengths) for batch in batches)


def test_steps_gather_batches_within_an_epoch_and_end_at_the_cap(configure):
    lengths = [10] * 22
    steps = plan_run(lengths, configure(gradientAccumulation=4, epochs=2))
    assert [len(step.batches) for step in steps] == [4, 2, 4, 2]
    assert [step.epoch for step in steps] == pytest.approx([4 / 6, 1, 1 + 4 / 6, 2])
    assert (
        plan_run(lengths, configure(gradientAccumulation=4, maxSteps=3))
        == plan_run(lengths, configure(gradientAccumulation=4))[:3]
    )


@pytest.mark.parametrize("schedule", ["cosine", "linear", "constant"])
def test_the_learning_rate_warms_up_to_its_peak_and_falls_towards_zero(configure, schedule):
    config = configure(schedule=schedule, warmupRatio=0.1, learningRate=1.0)
    rates = [learning_rate_at(step, 100, config) for step in range(1, 101)]
    assert rates[:10] == pytest.approx([step / 10 for step in range(1, 11)])
    assert rates[10] == pytest.approx(1.0)
    assert all(after <= before for before, after in itertools.pairwise(rates[10:]))
    assert rates[-1] == 1.0 if schedule == "constant" else 0 < rates[-1] < 0.02


def test_one_step_without_warm_up_has_the_full_rate(configure):
    assert learning_rate_at(1, 1, configure(warmupRatio=0.0)) == configure().learning_rate


def test_the_windows_of_the_first_and_the_last_loss_share_no_step():
    assert [loss_window(steps) for steps in (1, 3, 8, 19, 20, 1000)] == [1, 1, 4, 9, 10, 10]
