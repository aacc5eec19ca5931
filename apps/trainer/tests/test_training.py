import json
import shutil
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

from tiny import make_lines, write_lines
from trainer import events
from trainer.examples import load_examples
from trainer.failure import TrainerError
from trainer.model import LabelledForward
from trainer.stop import StopRequest
from trainer.training import train


def run(config, stop_after: int | None = None, during_evaluation: bool = False) -> list[events.Record]:
    """Trains; asks to stop after that many steps (of this attempt), or when the evaluation behind them begins."""
    seen: list[events.Record] = []

    class Stop(StopRequest):
        asked = 0

        @property
        def requested(self):
            steps = sum(event.type == "step" for event in seen)
            if during_evaluation and steps == stop_after:
                self.asked += 1
            return stop_after is not None and steps >= stop_after and (not during_evaluation or self.asked > 0)

        @requested.setter
        def requested(self, value):
            pass

    train(config, seen.append, Stop())
    return seen


def of(seen, kind):
    return [event for event in seen if event.type == kind]


def curve(*attempts):
    """What a run learned: the last word on every step and evaluation, without times."""
    losses = {}
    for seen in attempts:
        for event in seen:
            if event.type == "step":
                losses["step", event.step] = (event.loss, event.grad_norm, event.learning_rate, event.tokens)
            if event.type == "eval":
                losses["eval", event.step] = event.eval_loss
            if event.type == "samples":
                losses["samples", event.step] = event.samples
    return losses


def weights(config):
    folder = Path(config.output_dir)
    return next(path.read_bytes() for path in folder.glob("*/*.safetensors"))


VARIANTS = {
    "lora": {},
    "dora": {"method": "dora"},
    "dora bfloat16": {"method": "dora", "precision": "bfloat16"},
    "rslora": {"method": "rslora"},
    "full": {"method": "full", "learningRate": 1e-3},
    "full bfloat16": {"method": "full", "learningRate": 1e-3, "precision": "bfloat16", "weightDecay": 0.1},
    "bfloat16": {"precision": "bfloat16"},
    "packed": {"packing": "packed", "batchSize": None, "batchTokens": 256},
    "accumulated": {"gradientAccumulation": 3, "epochs": 6},
    "gradient checkpointing": {"gradientCheckpointing": True},
    "chosen modules": {"targetModules": ["q_proj", "v_proj"]},
    "no evaluation": {"evalFile": None},
}


@pytest.mark.parametrize("changes", VARIANTS.values(), ids=VARIANTS.keys())
def test_a_resumed_run_equals_an_uninterrupted_one_to_the_bit(configure, tmp_path, changes):
    whole_config = configure(outputDir=str(tmp_path / "whole"), **changes)
    whole = run(whole_config)
    config = configure(**changes)
    first = run(config, stop_after=6)
    assert of(first, "stopped")[0].step == 6
    second = run(config, stop_after=5)
    third = run(config)
    assert of(second, "started")[0].resumed_from_step == 6
    assert of(third, "started")[0].resumed_from_step == 11
    assert curve(first, second, third) == curve(whole)
    assert weights(config) == weights(whole_config)
    ends = [of(seen, "finished")[0].model_dump(exclude={"tokens_per_second", "duration_ms", "adapter_dir"})
            for seen in (whole, third)]  # fmt: skip
    assert ends[0] == ends[1]
    assert ends[0]["loss_last"] < ends[0]["loss_first"]


def test_an_evaluation_that_a_stop_cut_short_is_done_again(configure, tmp_path):
    whole_config = configure(outputDir=str(tmp_path / "whole"))
    whole = run(whole_config)
    config = configure()
    first = run(config, stop_after=5, during_evaluation=True)
    assert ("eval", 5) not in curve(first)
    assert of(first, "checkpoint")[-1].step == 5
    second = run(config)
    assert curve(first, second) == curve(whole)
    assert weights(config) == weights(whole_config)


def test_starting_a_finished_run_again_trains_nothing_and_gives_the_same(configure):
    config = configure()
    first = run(config)
    before = weights(config)
    again = run(config)
    assert of(again, "step") == []
    assert weights(config) == before
    assert of(again, "finished")[0].loss_last == of(first, "finished")[0].loss_last


def test_the_seed_decides_and_nothing_else(configure, tmp_path):
    def losses(name, **changes):
        return curve(run(configure(outputDir=str(tmp_path / name), maxSteps=4, **changes)))

    assert losses("a") == losses("b")
    assert losses("c", seed=4) != losses("a2")


def test_samples_disturb_nothing_and_can_be_off(configure, tmp_path):
    def trained(count):
        config = configure(outputDir=str(tmp_path / str(count)), sampleCount=count, maxSteps=6)
        return run(config), weights(config)

    (asked, same), (silent, weights_alone) = trained(3), trained(0)
    assert same == weights_alone, "dropout is at work: one random number more would show"
    assert [event.step for event in of(asked, "samples")] == [event.step for event in of(asked, "eval")] == [0, 5, 6]
    assert of(silent, "samples") == []


def test_the_first_and_last_loss_are_means_over_a_window(configure):
    seen = run(configure())
    finished, steps = of(seen, "finished")[0], [event.loss for event in of(seen, "step")]
    assert finished.loss_window == 10
    assert min(steps[:10]) < finished.loss_first < max(steps[:10])
    assert min(steps[-10:]) < finished.loss_last < max(steps[-10:])


def test_accumulated_batches_equal_one_large_batch(configure, tmp_path):
    """Every token weighs the same, in whatever batch it came."""
    common = {"dropout": 0.0, "maxSteps": 1, "evalFile": None, "epochs": 1}
    big = run(configure(outputDir=str(tmp_path / "big"), batchSize=40, **common))
    small = run(configure(outputDir=str(tmp_path / "small"), batchSize=4, gradientAccumulation=10, **common))
    assert of(big, "step")[0].loss == pytest.approx(of(small, "step")[0].loss, rel=1e-5)
    assert of(big, "step")[0].grad_norm == pytest.approx(of(small, "step")[0].grad_norm, rel=1e-4)


def test_without_early_stopping_the_last_weights_are_kept(configure, tmp_path):
    few = write_lines(tmp_path / "few.jsonl", make_lines(4))
    seen = run(configure(trainFile=str(few), learningRate=0.05, epochs=60, evalEverySteps=2))
    finished, evals = of(seen, "finished")[0], {event.step: event.eval_loss for event in of(seen, "eval")}
    assert min(evals, key=evals.get) < finished.steps, "the last evaluation is not the best"
    assert (finished.kept_step, finished.eval_loss) == (finished.steps, evals[finished.steps])


def test_with_early_stopping_the_exported_adapter_is_the_best_one_and_peft_loads_it(configure, tmp_path):
    # Four examples learned by heart: what was not seen gets worse again, so the best evaluation is not the last.
    few = write_lines(tmp_path / "few.jsonl", make_lines(4))
    common = {"trainFile": str(few), "learningRate": 0.05, "epochs": 60, "evalEverySteps": 2, "keepCheckpoints": 1}
    config = configure(**common, earlyStopping={"patience": 100})
    seen = run(config)
    finished = of(seen, "finished")[0]
    evals = {event.step: event.eval_loss for event in of(seen, "eval")}
    assert finished.kept_step == min((step for step in evals if step), key=evals.get)
    assert finished.kept_step < finished.steps
    assert finished.eval_loss == evals[finished.kept_step]
    assert finished.eval_loss_first == evals[0]

    folder = Path(finished.adapter_dir)
    assert {"adapter_config.json", "adapter_model.safetensors", "README.md"} == {path.name for path in folder.iterdir()}
    written = json.loads((folder / "adapter_config.json").read_text())
    assert written["base_model_name_or_path"] == "tiny-llama"
    assert (written["r"], written["lora_alpha"]) == (4, 8)
    assert written["target_modules"] == sorted(written["target_modules"]), "equal runs write equal files"
    assert all(path.stat().st_mode & 0o777 == 0o644 for path in folder.iterdir()), "the engine may be another user"
    assert str(tmp_path) not in (folder / "adapter_config.json").read_text() + (folder / "README.md").read_text()
    loaded = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(config.base_model), folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(config.base_model)
    examples = load_examples(Path(config.eval_file), "eval", tokenizer, 128).examples
    with torch.no_grad():
        loss = LabelledForward(loaded, config).summed_loss(examples).item() / sum(e.label_count for e in examples)
    assert loss == pytest.approx(finished.eval_loss, rel=1e-4)


def test_a_full_fine_tune_is_a_model_that_loads_on_its_own(configure):
    config = configure(method="full", precision="bfloat16", learningRate=1e-3, maxSteps=6)
    folder = Path(of(run(config), "finished")[0].adapter_dir)
    assert folder.name == "model"
    model = AutoModelForCausalLM.from_pretrained(folder)
    assert model.dtype == torch.bfloat16
    assert AutoTokenizer.from_pretrained(folder).chat_template
    base = AutoModelForCausalLM.from_pretrained(config.base_model)
    assert not torch.equal(model.model.embed_tokens.weight.float(), base.model.embed_tokens.weight)


def test_the_card_says_that_vllm_does_not_serve_dora(configure, tmp_path):
    dora = of(run(configure(method="dora", maxSteps=2)), "finished")[0]
    assert "does not serve DoRA" in (Path(dora.adapter_dir) / "README.md").read_text()
    lora = of(run(configure(maxSteps=2, rank=12, outputDir=str(tmp_path / "lora"))), "finished")[0]
    assert "--max-lora-rank 16" in (Path(lora.adapter_dir) / "README.md").read_text()


def test_stops_early_once_the_evaluation_no_longer_improves(configure):
    config = configure(evalEverySteps=2, epochs=10, earlyStopping={"patience": 2, "minDelta": 10.0})
    seen = run(config)
    finished = of(seen, "finished")[0]
    # The first evaluation after the base sets the mark; the two after it are not better by 10.
    assert (finished.stopped_early, finished.steps) == (True, 6)
    assert of(seen, "checkpoint")[-1].step == 6
    again = run(config)
    assert of(again, "finished")[0].stopped_early
    assert of(again, "step") == []


def test_a_loss_that_is_no_number_ends_the_run_and_exports_nothing(configure, tmp_path):
    config = configure(method="full", learningRate=1e30, maxGradNorm=None, warmupRatio=0.0, evalFile=None)
    with pytest.raises(TrainerError, match="no longer a number at step") as caught:
        run(config)
    assert caught.value.code == "TRAINING_FAILED"
    assert not (tmp_path / "out" / "model").exists()


def test_counts_what_it_was_given(configure, tmp_path, data_folder):
    lines = [*make_lines(6), {"messages": [{"role": "user", "content": "only a question"}]}]
    path = write_lines(tmp_path / "some.jsonl", lines)
    seen = run(configure(trainFile=str(path), epochs=1, batchSize=2))
    started, finished = of(seen, "started")[0], of(seen, "finished")[0]
    assert (started.train_examples, started.eval_examples, started.total_steps) == (6, 8, 3)
    assert [(drop.ref, drop.code) for drop in started.dropped] == [("train:7", "no-answer")]
    assert started.tokens_per_epoch == finished.tokens_total == sum(event.tokens for event in of(seen, "step"))
    assert [event.step for event in of(seen, "eval")] == [0, 3]
    assert of(seen, "step")[-1].eta_ms >= 0


def test_one_example_is_enough_to_train_on(configure, tmp_path):
    path = write_lines(tmp_path / "one.jsonl", make_lines(1))
    assert of(run(configure(trainFile=str(path), evalFile=str(path))), "finished")[0].steps == 2


def test_refuses_to_resume_with_other_data_or_hyper_parameters(configure, tmp_path):
    run(configure(maxSteps=5))
    for changes in ({"rank": 8, "maxSteps": 5}, {"learningRate": 1e-3, "maxSteps": 5}, {"maxSteps": 6}):
        with pytest.raises(TrainerError, match="another run"):
            run(configure(**changes))
    moved = shutil.copy(configure().train_file, tmp_path / "moved.jsonl")
    assert of(run(configure(maxSteps=5, trainFile=str(moved), saveEverySteps=9)), "finished")


def test_says_before_the_first_step_that_the_disk_is_too_small(configure):
    with pytest.raises(TrainerError, match="MB free") as caught:
        run(configure(keepCheckpoints=10**12))
    assert caught.value.code == "DISK_FULL"


def test_dropout_is_at_work_in_these_runs(configure, tmp_path):
    """Guards the tests of resuming: without dropout the saved generators would not matter."""
    quiet = configure(dropout=0.0, maxSteps=3, outputDir=str(tmp_path / "quiet"))
    assert curve(run(configure(maxSteps=3))) != curve(run(quiet))
