"""The result: an adapter folder that PEFT and vLLM load (or a whole model for method full), with a model card."""

import json
import shutil
from pathlib import Path

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from trainer.checkpoint import publish
from trainer.config import TrainerConfig
from trainer.events import Finished


def export_model(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    config: TrainerConfig,
    target: Path,
    result: Finished,
    train_digest: str,
) -> None:
    temporary = target.with_name(f".tmp-{target.name}")
    shutil.rmtree(temporary, ignore_errors=True)
    if config.method == "full":
        model.config.use_cache = True
        # Trained in float32, delivered as the engine will run it.
        model.to(torch.bfloat16 if config.precision == "bfloat16" else torch.float32)
        model.save_pretrained(temporary)
        tokenizer.save_pretrained(temporary)
    else:
        # "auto" would ask the hub whether the vocabulary was resized; it never is here.
        model.save_pretrained(temporary, save_embedding_layers=False)
        _sort_target_modules(temporary / "adapter_config.json")
    (temporary / "README.md").write_text(_model_card(config, result, train_digest), encoding="utf-8")
    publish(temporary, target)


def _sort_target_modules(path: Path) -> None:
    """PEFT writes a set in whatever order it has: equal runs would give unequal files."""
    adapter = json.loads(path.read_text(encoding="utf-8"))
    if isinstance(adapter["target_modules"], list):
        adapter["target_modules"].sort()
    path.write_text(json.dumps(adapter, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _model_card(config: TrainerConfig, result: Finished, train_digest: str) -> str:
    base = config.recorded_base_model
    adapter = config.method != "full"
    evaluated = "not measured"
    if result.eval_loss is not None:
        before = "unknown" if result.eval_loss_first is None else f"{result.eval_loss_first:.4f}"
        evaluated = f"{before} before training, {result.eval_loss:.4f} at step {result.kept_step}"
    rows = {
        "Base model": base,
        "Method": config.method + (f", rank {config.rank}, alpha {config.alpha:g}" if adapter else ""),
        "Training data": f"sha256 {train_digest}",
        "Steps": f"{result.steps}" + (" (stopped early)" if result.stopped_early else ""),
        "Tokens": f"{result.tokens_total:,}",
        "Learning rate": f"{config.learning_rate:g}, {config.schedule}",
        "Seed": str(config.seed),
        "Training loss": f"{result.loss_first:.4f} to {result.loss_last:.4f}"
        + (f" (means of the first and last {result.loss_window} steps)" if result.loss_window > 1 else ""),
        "Evaluation loss": evaluated,
    }
    table = "\n".join(f"| {name} | {value} |" for name, value in rows.items())
    kind = f"A {config.method} adapter for" if adapter else "A full fine-tune of"
    return f"""---
base_model: {base}
library_name: {"peft" if adapter else "transformers"}
---

# {kind} {base}

Trained by Anneal.

| | |
|---|---|
{table}

## Serving

{_serving(config)}
"""


def _serving(config: TrainerConfig) -> str:
    if config.method == "full":
        return "Serve this folder as a model of its own."
    if config.method == "dora":
        return "vLLM does not serve DoRA adapters. Load it with PEFT and merge it into the base model first."
    flags = f"--enable-lora --max-lora-rank {_served_rank(config.rank)}"
    return f"vLLM: start the base model with `{flags}`, then load this folder."


def _served_rank(rank: int) -> int:
    """vLLM takes only these maxima: its `MaxLoRARanks`."""
    return next((limit for limit in (8, 16, 32, 64, 128, 256, 320, 512) if limit >= rank), rank)
