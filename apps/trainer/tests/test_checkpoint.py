import pytest
import torch

from trainer.checkpoint import CheckpointStore, Progress
from trainer.failure import TrainerError


@pytest.fixture
def run(tmp_path):
    """A store for one parameter, and its optimizer after one step."""
    torch.manual_seed(0)
    parameters = {"weight": torch.nn.Parameter(torch.randn(4, 4))}
    optimizer = torch.optim.AdamW(parameters.values(), fused=True)
    parameters["weight"].sum().backward()
    optimizer.step()
    return parameters, optimizer, lambda keep=3, run="a": CheckpointStore(tmp_path, run, keep)


def fail(text):
    raise AssertionError(text)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_brings_back_weights_optimizer_generators_and_progress(run):
    parameters, optimizer, store = run
    progress = Progress(step=7, last_losses=[(1 / 3, 2)], best_eval_loss=0.1, best_step=5)
    store().save(parameters, optimizer, progress)
    drawn = torch.rand(3)
    fresh = {"weight": torch.nn.Parameter(torch.zeros(4, 4))}
    fresh_optimizer = torch.optim.AdamW(fresh.values(), fused=True)
    assert store().load_newest(fresh, fresh_optimizer, fail) == progress
    assert torch.equal(fresh["weight"], parameters["weight"])
    assert torch.equal(
        fresh_optimizer.state[fresh["weight"]]["exp_avg"], optimizer.state[parameters["weight"]]["exp_avg"]
    )
    assert torch.equal(torch.rand(3), drawn)


def test_keeps_the_newest_and_the_best(run, tmp_path):
    parameters, optimizer, store = run
    for step in range(1, 7):
        store(keep=2).save(parameters, optimizer, Progress(step=step, best_step=min(step, 2)))
    assert names(tmp_path) == ["step-00000002", "step-00000005", "step-00000006"]


def test_a_save_that_was_killed_half_way_leaves_no_checkpoint(run, tmp_path):
    parameters, optimizer, store = run
    store().save(parameters, optimizer, Progress(step=1))
    torn = tmp_path / ".tmp-step-00000002"
    torn.mkdir()
    (torn / "weights.safetensors").write_bytes(b"half")
    assert store().load_newest(parameters, optimizer, fail).step == 1
    assert names(tmp_path) == ["step-00000001"]


@pytest.mark.parametrize("file", ["weights.safetensors", "state.pt", "progress.json"])
def test_a_damaged_checkpoint_gives_way_to_the_one_before_it_and_says_so(run, tmp_path, file):
    parameters, optimizer, store = run
    for step in (1, 2):
        store().save(parameters, optimizer, Progress(step=step))
    damaged = tmp_path / "step-00000002" / file
    damaged.write_bytes(damaged.read_bytes()[:20])
    warnings = []
    assert store().load_newest(parameters, optimizer, warnings.append).step == 1
    assert "step-00000002 is damaged" in warnings[0]
    assert names(tmp_path) == ["step-00000001"]


def test_saving_the_same_step_again_renews_only_what_is_known_about_it(run, tmp_path):
    parameters, optimizer, store = run
    store().save(parameters, optimizer, Progress(step=1))
    weights = (tmp_path / "step-00000001" / "weights.safetensors").stat().st_ino
    store().save(parameters, optimizer, Progress(step=1, best_step=1, best_eval_loss=2.0))
    assert store().load_newest(parameters, optimizer, fail).best_eval_loss == 2.0
    assert (tmp_path / "step-00000001" / "weights.safetensors").stat().st_ino == weights


def test_refuses_the_checkpoints_of_another_run(run, tmp_path):
    parameters, optimizer, store = run
    store(run="a").save(parameters, optimizer, Progress(step=1))
    with pytest.raises(TrainerError, match="another run") as caught:
        store(run="b").load_newest(parameters, optimizer, fail)
    assert caught.value.code == "INVALID_INPUT"
    assert names(tmp_path) == ["step-00000001"], "and leaves them alone"
