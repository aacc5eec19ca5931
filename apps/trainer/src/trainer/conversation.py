"""From messages to token ids and the mask of those that are learned: the assistant's words and the end of its turn.

The mask comes from the model's own chat template. A template that marks its generations (`{% generation %}`) says it
itself. Otherwise the conversation is rendered up to each assistant turn, with the generation prompt and with the
answer: what the second adds to the first is the answer. The text is tokenised once, whole, so the ids are those that
the engine sees, and a token is learned when it lies inside an answer.
"""

import re
from dataclasses import dataclass

import jinja2
import numpy as np
from transformers import PreTrainedTokenizerBase

from trainer.failure import TrainerError

Message = dict[str, str]

_MARKS_GENERATION = re.compile(r"\{%-?\s*generation\s*-?%\}")


class UnusableError(Exception):
    """This example cannot be learned from; it is dropped with this code and reason."""

    def __init__(self, code: str, reason: str):
        super().__init__(reason)
        self.code = code
        self.reason = reason


@dataclass(frozen=True)
class Encoded:
    ids: np.ndarray
    """int32, one a token."""
    learned: np.ndarray
    """bool, one a token."""

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def label_count(self) -> int:
        """The first token has nothing before it to be predicted from."""
        return int(self.learned[1:].sum())


class ConversationEncoder:
    def __init__(self, tokenizer: PreTrainedTokenizerBase):
        """Raises INVALID_INPUT for a tokenizer that cannot say where its tokens lie or how a chat is written."""
        if tokenizer.chat_template is None or not tokenizer.is_fast:
            lack = "no chat template" if tokenizer.chat_template is None else "no fast tokenizer"
            raise TrainerError(
                "INVALID_INPUT", f"The base model has {lack}.", "Choose an instruction-tuned base model (a chat model)."
            )
        self._tokenizer = tokenizer
        self._marks_generation = _MARKS_GENERATION.search(tokenizer.get_chat_template()) is not None
        special = {id: token.content for id, token in tokenizer.added_tokens_decoder.items() if token.special}
        self._special_ids = frozenset(special)
        self._special_texts = tuple(special.values())

    def encode(self, messages: list[Message]) -> Encoded:
        """Raises UnusableError."""
        self._refuse_unlearnable(messages)
        try:
            ids, learned = self._encode_marked(messages) if self._marks_generation else self._encode_prefixes(messages)
        except jinja2.TemplateError as error:
            raise UnusableError(
                "template-refused", f"The base model's chat template refuses this conversation: {error}"
            ) from error
        if not any(learned[1:]):
            raise UnusableError("no-answer", "The chat template keeps none of the answers as they are.")
        self._learn_to_stop(ids, learned)
        return Encoded(np.asarray(ids, dtype=np.int32), np.asarray(learned, dtype=bool))

    def _refuse_unlearnable(self, messages: list[Message]) -> None:
        for number, message in enumerate(messages, start=1):
            found = next((text for text in self._special_texts if text in message["content"]), None)
            if found is not None:
                # A document that carries "<|im_end|>" would end the turn there and speak on in another role.
                raise UnusableError("control-token", f"Message {number} contains the control token {found}.")
        if messages[0]["role"] == "assistant":
            raise UnusableError("no-prompt", "The conversation starts with the assistant: there is nothing to answer.")
        if not any(map(_is_answer, messages)):
            raise UnusableError("no-answer", "The conversation has no words of the assistant.")

    def _encode_marked(self, messages: list[Message]) -> tuple[list[int], list[bool]]:
        out = self._tokenizer.apply_chat_template(messages, return_dict=True, return_assistant_tokens_mask=True)
        return list(out["input_ids"]), [bool(flag) for flag in out["assistant_masks"]]

    def _encode_prefixes(self, messages: list[Message]) -> tuple[list[int], list[bool]]:
        full = self._render(messages, prompt=False)
        spans = []
        for index, message in enumerate(messages):
            through = self._render(messages[: index + 1], prompt=False)
            # Some templates rewrite earlier turns (they drop the reasoning): such a turn is context, not target.
            if _is_answer(message) and full.startswith(through):
                prompt = self._render(messages[:index], prompt=True)
                spans.append((_common_prefix_length(prompt, through), len(through)))

        out = self._tokenizer(full, add_special_tokens=False, return_offsets_mapping=True)
        ids, offsets = out["input_ids"], out["offset_mapping"]
        learned = [False] * len(ids)
        for start, end in spans:
            inside = [i for i, (a, b) in enumerate(offsets) if start <= a < b <= end]
            # Generation ends with the end-of-turn token: the blank space that the template writes after it is no one's.
            stop = max((i for i in inside if ids[i] in self._special_ids), default=None)
            if stop is not None and not full[offsets[stop][1] : end].strip():
                inside = [i for i in inside if i <= stop]
            for i in inside:
                learned[i] = True
        return ids, learned

    def _render(self, messages: list[Message], *, prompt: bool) -> str:
        return self._tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=prompt)

    def _learn_to_stop(self, ids: list[int], learned: list[bool]) -> None:
        """A template may leave the end of the turn out of what it marks, or leave the last turn open."""
        eos = self._tokenizer.eos_token_id
        last = max(i for i, flag in enumerate(learned) if flag)
        if not self._special_ids.isdisjoint(ids[last : last + 2]):
            if last + 1 < len(ids) and ids[last] not in self._special_ids and ids[last + 1] == eos:
                learned[last + 1] = True
        elif eos is not None:
            ids[last + 1 :] = [eos]
            learned[last + 1 :] = [True]


def _is_answer(message: Message) -> bool:
    return message["role"] == "assistant" and bool(message["content"].strip())


def _common_prefix_length(one: str, other: str) -> int:
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def truncate(encoded: Encoded, max_length: int) -> Encoded:
    """Cuts the end off. Raises UnusableError when nothing to learn is left."""
    if len(encoded) <= max_length:
        return encoded
    cut = Encoded(encoded.ids[:max_length], encoded.learned[:max_length])
    if cut.label_count == 0:
        raise UnusableError(
            "truncated", f"Its first {max_length} of {len(encoded)} tokens (maxLength) hold nothing of the answer."
        )
    return cut
