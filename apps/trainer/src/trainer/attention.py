"""PyTorch's fused attention, in float32 where a CPU's bfloat16 kernel is slow."""

import torch
from transformers import AttentionInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import AttentionMaskInterface, sdpa_mask

_NAME = "sdpa_short_rows"

# Of the forward and backward pass together, nine heads of 64 on two cores (torch 2.13, AVX-512 and AMX): rows of 64
# tokens take 14 ms in bfloat16 and 6 in float32, of 78 tokens 17 and 7, of 249 tokens 13 and 15. Longer rows gain
# nothing and would keep float32 copies of queries, keys and values.
_SHORT = 160


def _attend(module, query, key, value, attention_mask, **options):
    widened = query.device.type == "cpu" and query.dtype == torch.bfloat16 and query.requires_grad
    if not widened or query.shape[2] > _SHORT:
        return sdpa_attention_forward(module, query, key, value, attention_mask, **options)
    if attention_mask is not None and attention_mask.is_floating_point():
        attention_mask = attention_mask.float()
    # Autocast would round the operands again.
    with torch.autocast("cpu", enabled=False):
        output, weights = sdpa_attention_forward(
            module, query.float(), key.float(), value.float(), attention_mask, **options
        )
    return output.to(query.dtype), weights


def use_for(model: PreTrainedModel, device: torch.device) -> None:
    """Changes a model that would use PyTorch's fused attention on a CPU; any other stays as it is. Masks are those of
    transformers' own "sdpa"."""
    if device.type != "cpu" or getattr(model.config.get_text_config(), "_attn_implementation", None) != "sdpa":
        return
    AttentionInterface.register(_NAME, _attend)
    AttentionMaskInterface.register(_NAME, sdpa_mask)
    model.set_attn_implementation(_NAME)
