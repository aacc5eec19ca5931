"""A few held-out questions, answered greedily at each evaluation: what a curve cannot show.

Nothing here draws a random number or leaves the model in another mode, so a run with samples learns to the bit what
one without them learns.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from transformers import PreTrainedTokenizerBase

from trainer.events import Sample
from trainer.examples import ExampleSet, parse_messages
from trainer.model import LabelledForward


@dataclass(frozen=True)
class Prompt:
    ids: np.ndarray
    """As the example is learned, up to its first answer."""
    question: str
    expected: str


def choose_prompts(examples: ExampleSet, path: Path, count: int) -> list[Prompt]:
    """Spread over the file, always the same ones."""
    count = min(count, len(examples.examples))
    chosen = {examples.lines[index]: examples.examples[index] for index in _spread(len(examples.examples), count)}
    prompts: list[Prompt] = []
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            example = chosen.get(number)
            if example is None:
                continue
            messages = parse_messages(line)
            answer = next(
                i for i, each in enumerate(messages) if each["role"] == "assistant" and each["content"].strip()
            )
            start = int(np.argmax(example.learned))
            prompts.append(Prompt(example.ids[:start], messages[answer - 1]["content"], messages[answer]["content"]))
    return prompts


def _spread(length: int, count: int) -> list[int]:
    return [(2 * number + 1) * length // (2 * count) for number in range(count)]


def answer_prompts(
    forward: LabelledForward,
    tokenizer: PreTrainedTokenizerBase,
    prompts: list[Prompt],
    max_tokens: int,
    is_stopping: Callable[[], bool],
) -> list[Sample] | None:
    """All at once, since a step of a few rows costs about what one row costs. None when asked to stop."""
    width = max(len(prompt.ids) for prompt in prompts)
    ids = torch.zeros(len(prompts), width, dtype=torch.long)
    mask = torch.zeros(len(prompts), width, dtype=torch.long)
    for row, prompt in enumerate(prompts):
        ids[row, width - len(prompt.ids) :] = torch.from_numpy(prompt.ids)
        mask[row, width - len(prompt.ids) :] = 1
    answers: list[list[int]] = [[] for _ in prompts]
    ended = [False] * len(prompts)
    ends = set(tokenizer.all_special_ids)
    cache = None
    with forward.evaluating():
        for _ in range(max_tokens):
            if is_stopping():
                return None
            tokens, cache = forward.next_tokens(ids, mask, cache)
            for row, token in enumerate(tokens):
                ended[row] = ended[row] or token in ends
                if not ended[row]:
                    answers[row].append(token)
            if all(ended):
                break
            ids = torch.tensor(tokens)[:, None]
            mask = torch.cat([mask, torch.ones(len(prompts), 1, dtype=torch.long)], dim=1)
    return [
        Sample(
            question=_storable(prompt.question),
            expected=_storable(prompt.expected),
            answer=_storable(tokenizer.decode(answer, skip_special_tokens=True)),
            complete=complete,
        )
        for prompt, answer, complete in zip(prompts, answers, ended, strict=True)
    ]


def _storable(text: str) -> str:
    """A model may say the byte 0, which no database takes as text."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")
