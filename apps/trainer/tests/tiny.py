"""A model small enough to train in a second, and text for it: made here, so that no test needs the network."""

import json
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

CHATML = (
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
    "{{ '<|im_start|>system\\nYou are helpful.<|im_end|>\\n' }}{% endif %}"
    "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)

COLOURS = ["red", "green", "blue", "white", "black", "yellow", "brown", "grey"]
THINGS = ["door", "river", "kettle", "garden", "ticket", "window", "letter", "engine"]


def make_tokenizer(template: str | None = CHATML, special: tuple[str, ...] = ("<|im_start|>", "<|im_end|>")):
    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    text = [json.dumps(line) for line in make_lines(64)]
    core.train_from_iterator(
        text,
        trainers.BpeTrainer(
            vocab_size=384,
            special_tokens=["<pad>", *special],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=core, pad_token="<pad>", eos_token=special[-1])
    tokenizer.chat_template = template
    return tokenizer


def make_model(folder: Path, dtype: torch.dtype = torch.float32) -> Path:
    tokenizer = make_tokenizer()
    torch.manual_seed(7)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=256,
        tie_word_embeddings=True,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        initializer_range=0.2,
    )
    LlamaForCausalLM(config).to(dtype).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def make_lines(count: int, offset: int = 0) -> list[dict]:
    lines = []
    for number in range(offset, offset + count):
        thing, colour = THINGS[number % 8], COLOURS[(number * 3 + number // 8) % 8]
        passage = f"In house {number} the {thing} is {colour}. " * (1 + number % 5)
        lines.append(
            {
                "messages": [
                    {"role": "user", "content": f"{passage}What colour is the {thing}?"},
                    {"role": "assistant", "content": f"The {thing} is {colour}."},
                ],
                "source": f"house-{number}",
            }
        )
    return lines


def write_lines(path: Path, lines: list[dict]) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path
