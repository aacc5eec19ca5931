"""Reads a messages JSONL file into token ids; every line is either an example or a drop with a reason."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, Field, ValidationError
from transformers import PreTrainedTokenizerBase

from trainer.conversation import ConversationEncoder, Encoded, UnusableError, truncate
from trainer.events import Drop
from trainer.failure import TrainerError


class _Message(BaseModel):
    role: Literal["system", "user", "assistant", "tool"]
    content: str


class _Line(BaseModel):
    messages: Annotated[list[_Message], Field(min_length=1)]


@dataclass(frozen=True)
class ExampleSet:
    examples: list[Encoded]
    drops: list[Drop]
    truncated: int
    """How many lost their end to maxLength and still teach something."""
    digest: str
    """sha256 of the file."""
    lines: list[int]
    """Where each example stands in the file, counted from 1."""

    @property
    def tokens(self) -> int:
        return sum(len(example) for example in self.examples)


def load_examples(
    path: Path, split: Literal["train", "eval"], tokenizer: PreTrainedTokenizerBase, max_length: int
) -> ExampleSet:
    """Raises INVALID_INPUT for an unreadable file and DATASET_EMPTY when no line can be learned from."""
    examples: list[Encoded] = []
    drops: list[Drop] = []
    lines: list[int] = []
    truncated = 0
    digest = hashlib.sha256()
    encoder = ConversationEncoder(tokenizer)
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                digest.update(line)
                if not line.strip():
                    continue
                try:
                    encoded = encoder.encode(parse_messages(line))
                    example = truncate(encoded, max_length)
                except UnusableError as problem:
                    drops.append(Drop(ref=f"{split}:{number}", code=problem.code, reason=problem.reason))
                    continue
                truncated += len(example) < len(encoded)
                examples.append(example)
                lines.append(number)
    except OSError as error:
        raise TrainerError(
            "INVALID_INPUT",
            f"The {split} file {path} cannot be read: {error.strerror}.",
            f"Set {split}File to a readable messages JSONL file.",
        ) from error
    if not examples:
        why = f"all {len(drops)} lines were dropped, the first because: {drops[0].reason}" if drops else "it is empty"
        raise TrainerError(
            "DATASET_EMPTY",
            f"The {split} file has no example to learn from: {why}.",
            "Add examples with a user's question and an assistant's answer, or raise maxLength.",
        )
    return ExampleSet(examples, drops, truncated, digest.hexdigest(), lines)


def parse_messages(line: bytes) -> list[dict[str, str]]:
    try:
        parsed = _Line.model_validate(json.loads(line))
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(str(part) for part in fault["loc"])
        raise UnusableError("invalid-messages", f"{where or 'line'}: {fault['msg']}.") from error
    except (ValueError, RecursionError) as error:
        raise UnusableError("invalid-json", f"The line is not valid JSON in UTF-8: {error}.") from error
    return [message.model_dump() for message in parsed.messages]
