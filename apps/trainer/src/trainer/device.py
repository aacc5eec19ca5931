"""The one device that a run computes on, and how much of it it may take."""

import torch

from trainer.config import TrainerConfig
from trainer.failure import TrainerError


def choose_device(config: TrainerConfig) -> torch.device:
    """The first GPU that CUDA_VISIBLE_DEVICES shows, else the CPU. Raises TRAINING_FAILED where a GPU was promised and
    PyTorch sees none: on the CPU it would take main memory that nobody has set aside for it."""
    granted = config.gpu_memory_bytes
    if not torch.cuda.is_available():
        if granted is None:
            return torch.device("cpu")
        raise TrainerError(
            "TRAINING_FAILED",
            f"The training was given a GPU, and PyTorch {torch.__version__} sees none.",
            "Look at `nvidia-smi`; if it lists the GPU, install a PyTorch built for its driver, "
            "or set ANNEAL_GPUS=none to train on the CPU.",
        )
    device = torch.device("cuda", torch.cuda.current_device())
    if granted is not None:
        # An engine may have the rest of it. The allocator gives back its unused blocks before it fails.
        total = torch.cuda.get_device_properties(device).total_memory
        torch.cuda.set_per_process_memory_fraction(min(1.0, granted / total), device)
    return device
