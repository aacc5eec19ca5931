"""Expected failures: a code of packages/core/src/errors.ts, what happened, and what a person can do."""

import errno
import os
from typing import Literal

FailureCode = Literal["DATASET_EMPTY", "MODEL_UNKNOWN", "INVALID_INPUT", "DISK_FULL", "TRAINING_FAILED"]

_NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class TrainerError(Exception):
    def __init__(self, code: FailureCode, message: str, action: str):
        super().__init__(message)
        self.code: FailureCode = code
        self.message = message
        self.action = action


def classify(error: BaseException) -> TrainerError:
    """Turns anything raised into the failure that is reported; what nobody foresaw becomes TRAINING_FAILED."""
    if isinstance(error, TrainerError):
        return error
    text = " ".join(str(error).split())[:500]
    if _is_full_disk(error):
        return TrainerError(
            "DISK_FULL",
            "The disk that holds the output folder is full.",
            "Free space, then start the run again: it resumes from its last checkpoint.",
        )
    if isinstance(error, MemoryError) or "out of memory" in text or "can't allocate memory" in text:
        return TrainerError(
            "TRAINING_FAILED",
            f"Memory ran out while training: {text}",
            "Lower batchTokens (or batchSize) or maxLength, turn on gradientCheckpointing, or use a larger machine.",
        )
    return TrainerError(
        "TRAINING_FAILED",
        f"Training stopped by an unexpected {type(error).__name__}: {text}",
        "Read the trainer's error log; starting the run again resumes from its last checkpoint.",
    )


def _is_full_disk(error: BaseException | None) -> bool:
    """torch and safetensors wrap the operating system's error: one keeps it in the chain, the other only its text."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in _NO_SPACE:
            return True
        if any(os.strerror(number) in str(error) for number in _NO_SPACE):
            return True
        error = error.__cause__ or error.__context__
    return False
