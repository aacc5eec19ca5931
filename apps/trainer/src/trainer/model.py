"""The base model, what of it is trained, and the forward pass that the loss needs."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from peft import LoraConfig, TaskType, get_peft_model, prepare_model_for_kbit_training
from peft.tuners.tuners_utils import BaseTunerLayer
from safetensors import SafetensorError
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    BitsAndBytesConfig,
    Cache,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from trainer import attention
from trainer.config import TrainerConfig
from trainer.conversation import Encoded
from trainer.failure import TrainerError

_DTYPES = {"bfloat16": torch.bfloat16, "float32": torch.float32}


def has_fast_bfloat16(device: torch.device) -> bool:
    """A CPU without instructions for bfloat16 takes six times as long for it as for float32 (a product of 512x576 and
    576x1536 on two cores with AVX2, torch 2.13: 139 ms beside 24)."""
    return device.type != "cpu" or torch.ops.mkldnn._is_mkldnn_bf16_supported()


def computed_in(config: TrainerConfig, device: torch.device) -> torch.dtype:
    """What the run asks for, or float32, which is more precise, where the device is slow at that."""
    dtype = _DTYPES[config.precision]
    return dtype if dtype != torch.bfloat16 or has_fast_bfloat16(device) else torch.float32


def load_tokenizer(config: TrainerConfig) -> PreTrainedTokenizerBase:
    try:
        return AutoTokenizer.from_pretrained(config.base_model)
    except (OSError, ValueError, SafetensorError) as error:
        raise _unknown_model(config, error) from error


def load_model(config: TrainerConfig, device: torch.device) -> PreTrainedModel:
    """Trainable parameters are always float32, so that small updates are not rounded away; the frozen ones and the
    computation have the type of `computed_in`. Raises MODEL_UNKNOWN, and INVALID_INPUT for a method that cannot run
    here."""
    full = config.method == "full"
    quantization = _four_bit(device) if config.method == "qlora" else None
    try:
        base = AutoModelForCausalLM.from_pretrained(
            config.base_model,
            dtype=torch.float32 if full else computed_in(config, device),
            quantization_config=quantization,
            # Pickled weights can run code.
            use_safetensors=True,
            trust_remote_code=False,
        )
    except (OSError, ValueError, SafetensorError) as error:
        raise _unknown_model(config, error) from error
    base.config.use_cache = False
    attention.use_for(base, device)
    if quantization is None:
        base.to(device)
    if config.gradient_checkpointing:
        base.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    if full:
        return base
    if quantization is not None:
        base = prepare_model_for_kbit_training(base, use_gradient_checkpointing=False)
    return _add_adapter(base, config)


def _add_adapter(base: PreTrainedModel, config: TrainerConfig) -> PreTrainedModel:
    base.name_or_path = base.config.name_or_path = config.recorded_base_model
    lora = LoraConfig(
        r=config.rank,
        lora_alpha=int(config.alpha) if config.alpha.is_integer() else config.alpha,
        lora_dropout=config.dropout,
        target_modules=config.target_modules,
        use_dora=config.method == "dora",
        use_rslora=config.method == "rslora",
        task_type=TaskType.CAUSAL_LM,
    )
    try:
        model = get_peft_model(base, lora)
    except ValueError as error:
        raise TrainerError(
            "INVALID_INPUT",
            f"The adapter does not fit this base model: {error}",
            'Use targetModules "all-linear", or names of this model\'s own linear layers.',
        ) from error
    if config.method != "dora":
        # Autocast already casts the input of each adapter matrix; PEFT's own cast to float32 before it is pure cost.
        for module in model.modules():
            if isinstance(module, BaseTunerLayer):
                module.cast_input_dtype_enabled = False
    return model


def _four_bit(device: torch.device) -> BitsAndBytesConfig:
    try:
        import bitsandbytes  # noqa: F401
    except ImportError:
        present = False
    else:
        present = device.type == "cuda"
    if not present:
        raise TrainerError(
            "INVALID_INPUT",
            "Method qlora needs an NVIDIA GPU and the Python package bitsandbytes.",
            'Use method "lora", or run on a machine with a GPU and `pip install bitsandbytes`.',
        )
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )


def _unknown_model(config: TrainerConfig, error: Exception) -> TrainerError:
    if Path(config.base_model).is_dir():
        reason = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
    else:
        reason = "it is no folder here, and no model of that name is in the local Hugging Face cache."
    return TrainerError(
        "MODEL_UNKNOWN",
        f"The base model {config.base_model} cannot be loaded: {reason}",
        "Set baseModel to a folder with config.json, a tokenizer and safetensors weights, "
        "or to a Hugging Face id that this machine has already downloaded.",
    )


def trainable_parameters(model: torch.nn.Module) -> dict[str, torch.nn.Parameter]:
    return {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}


class LabelledForward:
    """Runs the model and computes logits only where a token is to be predicted. The vocabulary projection is the
    largest matrix product of a small model, and most tokens of a grounded example are its prompt."""

    def __init__(self, model: PreTrainedModel, config: TrainerConfig):
        self._model = model
        self._packed = config.packing == "packed"
        self._device = next(model.parameters()).device
        self._autocast = computed_in(config, self._device) == torch.bfloat16
        self._positions: torch.Tensor | None = None
        model.get_output_embeddings().register_forward_pre_hook(self._select)

    def _select(self, _module: torch.nn.Module, inputs: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        hidden = inputs[0]
        return (hidden.reshape(-1, hidden.shape[-1]).index_select(0, self._positions), *inputs[1:])

    def summed_loss(self, batch: list[Encoded]) -> torch.Tensor:
        """The cross-entropy of every learned token of the batch, added up."""
        logits, targets = self.logits(batch)
        return torch.nn.functional.cross_entropy(logits.float(), targets, reduction="sum")

    def logits(self, batch: list[Encoded]) -> tuple[torch.Tensor, torch.Tensor]:
        """(predictions, vocabulary) and the token that each is to predict."""
        ids, position_ids, positions, targets = pack(batch) if self._packed else pad(batch)
        self._positions = positions.to(self._device)
        with torch.autocast(self._device.type, dtype=torch.bfloat16, enabled=self._autocast):
            out = self._model(
                input_ids=ids.to(self._device),
                position_ids=None if position_ids is None else position_ids.to(self._device),
                use_cache=False,
            )
        return out.logits, targets.to(self._device)

    @contextmanager
    def evaluating(self) -> Iterator[None]:
        """Without dropout while it lasts."""
        self._model.eval()
        try:
            yield
        finally:
            self._model.train()

    @torch.no_grad()
    def next_tokens(self, ids: torch.Tensor, mask: torch.Tensor, cache: Cache | None) -> tuple[list[int], Cache]:
        """The likeliest next token of each row, and the cache to go on with. Rows are padded on the left; `mask` covers
        what is in the cache as well."""
        rows, width = ids.shape
        self._positions = (torch.arange(1, rows + 1) * width - 1).to(self._device)
        positions = (mask.cumsum(dim=1) - 1).clamp(min=0)[:, -width:]
        with torch.autocast(self._device.type, dtype=torch.bfloat16, enabled=self._autocast):
            out = self._model(
                input_ids=ids.to(self._device),
                attention_mask=mask.to(self._device),
                position_ids=positions.to(self._device),
                past_key_values=cache,
                use_cache=True,
            )
        return out.logits.argmax(dim=-1).flatten().tolist(), out.past_key_values


Tensors = tuple[torch.Tensor, torch.Tensor | None, torch.Tensor, torch.Tensor]


def pad(batch: list[Encoded]) -> Tensors:
    """One row an example, padded on the right. No attention mask is needed: attention is causal, so no token sees the
    padding that comes after it, and no loss is taken there. That keeps the fastest attention kernel."""
    width = max(len(example) for example in batch)
    ids = torch.zeros(len(batch), width, dtype=torch.long)
    learned = torch.zeros(len(batch), width, dtype=torch.bool)
    for row, example in enumerate(batch):
        ids[row, : len(example)] = torch.from_numpy(example.ids)
        learned[row, : len(example)] = torch.from_numpy(example.learned)
    learned[:, 0] = False
    return ids, None, *_predictions(ids, learned)


def pack(batch: list[Encoded]) -> Tensors:
    """All examples in one row. Positions start again at each, from which transformers derives the block-diagonal mask
    that keeps them apart (`find_packed_sequence_indices` in its masking_utils)."""
    ids = torch.cat([torch.from_numpy(example.ids) for example in batch]).long()[None]
    learned = torch.cat([torch.from_numpy(example.learned) for example in batch])[None]
    position_ids = torch.cat([torch.arange(len(example)) for example in batch])[None]
    learned[position_ids == 0] = False
    return ids, position_ids, *_predictions(ids, learned)


def _predictions(ids: torch.Tensor, learned: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Where (in the flattened batch) a learned token is predicted from, and the token."""
    labelled = learned.flatten().nonzero().squeeze(1)
    return labelled - 1, ids.flatten()[labelled]


@torch.no_grad()
def require_isolation(model: PreTrainedModel, forward: LabelledForward, sample: list[Encoded]) -> None:
    """Packs the sample behind two different neighbours: a model that keeps examples apart answers the same to the bit.
    Raises INVALID_INPUT for one that does not (recurrent layers, an attention without block-diagonal masks)."""
    first, second = sample[0], sample[-1]
    other = Encoded((first.ids + 1) % model.config.get_text_config().vocab_size, first.learned)
    model.eval()
    seen = [forward.logits([neighbour, second])[0][-second.label_count :] for neighbour in (first, other)]
    model.train()
    if not torch.equal(seen[0], seen[1]):
        raise TrainerError(
            "INVALID_INPUT",
            "This base model cannot keep packed examples apart: one would learn from its neighbour.",
            'Set packing to "length-grouped".',
        )


def memory_bytes(device: torch.device) -> int:
    if device.type == "cuda":
        return torch.cuda.max_memory_reserved(device)
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
