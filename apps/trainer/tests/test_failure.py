import resource
from contextlib import contextmanager

import pytest
import torch
from safetensors.torch import save_file

from trainer.failure import classify


@contextmanager
def no_room():
    """Lets no file of this process grow beyond a page: the writers' own errors, without filling a real disk.

    Around the write alone: the limit holds for the runner's own output too, where that is a file.
    """
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("writer", ["python", "safetensors", "torch"])
def test_a_full_disk_is_recognised_in_whatever_error_a_writer_wraps_it(tmp_path, writer):
    large = torch.zeros(100_000)

    def write():
        if writer == "safetensors":
            save_file({"x": large}, tmp_path / "x")
            return
        with (tmp_path / "x").open("wb") as file:
            if writer == "torch":
                torch.save(large, file)
            else:
                file.write(large.numpy().tobytes())

    with pytest.raises(Exception) as caught, no_room():
        write()
    assert classify(caught.value).code == "DISK_FULL"


def test_memory_that_ran_out_says_what_to_lower():
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**55, dtype=torch.uint8)
    assert "batchTokens" in classify(caught.value).action
    assert "batchTokens" in classify(torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")).action


def test_what_nobody_foresaw_is_named_by_its_class():
    failure = classify(KeyError("x"))
    assert failure.code == "TRAINING_FAILED"
    assert "KeyError" in failure.message
