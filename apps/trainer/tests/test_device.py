from types import SimpleNamespace

import pytest
import torch

from trainer.device import choose_device
from trainer.failure import TrainerError
from trainer.stop import StopRequest
from trainer.training import train


@pytest.mark.skipif(torch.cuda.is_available(), reason="only where there is no GPU")
def test_computes_on_the_cpu_only_where_no_gpu_was_promised(configure):
    assert choose_device(configure()) == torch.device("cpu")
    seen = []
    with pytest.raises(TrainerError, match=r"was given a GPU, and PyTorch .* sees none") as caught:
        train(configure(gpuMemoryBytes=2**30), seen.append, StopRequest())
    assert caught.value.code == "TRAINING_FAILED"
    # Before it reads a model into memory that nobody has set aside.
    assert seen == []


@pytest.mark.parametrize(("granted", "fraction"), [(6 * 2**30, 0.25), (30 * 2**30, 1.0)])
def test_takes_no_more_of_a_gpu_than_it_was_given(configure, monkeypatch, granted, fraction):
    limits = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: SimpleNamespace(total_memory=24 * 2**30))
    monkeypatch.setattr(
        torch.cuda, "set_per_process_memory_fraction", lambda share, device: limits.append((share, device))
    )
    device = choose_device(configure(gpuMemoryBytes=granted))
    assert limits == [(fraction, device)]
    assert device.type == "cuda"
