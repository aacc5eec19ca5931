"""The config file: validated once, here; the rest of the program trusts it. Mirrored in
packages/core/src/train/trainer-config.ts; tests on both sides hold the two together."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from trainer.failure import TrainerError

Count = Annotated[int, Field(ge=1)]


class Strict(BaseModel):
    """camelCase in JSON; an unknown key is refused, and so is a value of another type (no "8" for 8)."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, alias_generator=to_camel, validate_by_name=True)


class EarlyStopping(Strict):
    patience: Count
    """Evaluations in a row without improvement after which the run ends."""
    min_delta: Annotated[float, Field(ge=0)] = 0.0
    """An evaluation improves when its loss is lower than the best so far by more than this."""


class TrainerConfig(Strict):
    base_model: Annotated[str, Field(min_length=1)]
    """A local folder, or a Hugging Face id that is already in the local cache."""
    base_model_id: Annotated[str, Field(min_length=1)] | None = None
    """The name the adapter records for its base; null: the id, or the last segment of the folder's path."""
    train_file: Annotated[str, Field(min_length=1)]
    eval_file: Annotated[str, Field(min_length=1)] | None
    """Messages JSONL. Null: no evaluation, and the last step's weights are the result."""
    output_dir: Annotated[str, Field(min_length=1)]
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0

    method: Literal["lora", "dora", "rslora", "qlora", "full"] = "lora"
    rank: Count = 16
    alpha: Annotated[float, Field(gt=0)] = 32.0
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    target_modules: Literal["all-linear"] | Annotated[list[str], Field(min_length=1)] = "all-linear"

    learning_rate: Annotated[float, Field(gt=0)] = 2e-4
    schedule: Literal["cosine", "linear", "constant"] = "cosine"
    warmup_ratio: Annotated[float, Field(ge=0, lt=1)] = 0.03
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    max_grad_norm: Annotated[float, Field(gt=0)] | None = 1.0
    epochs: Count = 3
    max_steps: Count | None = None
    """A cap: the run ends after this many optimizer steps or after its epochs, whichever comes first."""
    batch_tokens: Count | None = None
    """Tokens of one forward pass, padding included. Exactly one of batchTokens and batchSize is set."""
    batch_size: Count | None = None
    gradient_accumulation: Count = 1
    max_length: Annotated[int, Field(ge=8)] = 2048
    packing: Literal["length-grouped", "packed"] = "length-grouped"
    precision: Literal["bfloat16", "float32"] = "bfloat16"
    gradient_checkpointing: bool = False

    eval_every_steps: Count = 50
    save_every_steps: Count = 50
    keep_checkpoints: Count = 3
    """The newest N are kept; the best one is kept as well."""
    early_stopping: EarlyStopping | None = None
    """With it the best evaluation's weights are the result, without it the last step's."""
    sample_count: Annotated[int, Field(ge=0)] = 3
    """Held-out questions that are answered at each evaluation, so that a person sees it learn; 0 asks none."""
    sample_tokens: Count = 32
    """The longest that such an answer gets."""
    threads: Count | None = None
    """CPU threads; null leaves torch's choice. The same number is needed for bit-equal results."""
    gpu_memory_bytes: Count | None = None
    """What it may reserve of its GPU, which it may share with others; it then fails without a GPU. Null: all."""

    @model_validator(mode="after")
    def _check_combinations(self) -> "TrainerConfig":
        if (self.batch_tokens is None) == (self.batch_size is None):
            raise ValueError("set exactly one of batchTokens and batchSize")
        if self.batch_tokens is not None and self.batch_tokens < self.max_length:
            raise ValueError(
                f"batchTokens ({self.batch_tokens}) must be at least maxLength ({self.max_length}), "
                "or the longest example would fit no batch"
            )
        if self.early_stopping is not None and self.eval_file is None:
            raise ValueError("earlyStopping needs an evalFile")
        return self

    @property
    def recorded_base_model(self) -> str:
        if self.base_model_id is not None:
            return self.base_model_id
        folder = Path(self.base_model)
        return folder.resolve().name if folder.is_dir() else self.base_model


def load_config(path: Path) -> TrainerConfig:
    """Raises INVALID_INPUT that names every wrong field by its JSON name."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TrainerError(
            "INVALID_INPUT", f"The config file {path} cannot be read: {error}.", "Pass --config a readable JSON file."
        ) from error
    try:
        return TrainerConfig.model_validate_json(text)
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(str(part) for part in fault['loc']) or 'config'}: {fault['msg'].removeprefix('Value error, ')}"
            for fault in error.errors()
        )
        raise TrainerError(
            "INVALID_INPUT", f"The config is not valid: {faults}.", "Correct these fields of the config file."
        ) from error
