from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from tiny import make_lines, write_lines
from trainer.examples import load_examples
from trainer.model import LabelledForward
from trainer.samples import answer_prompts, choose_prompts

# Of unequal length, so that all but one are padded.
COUNT = 4


@pytest.fixture
def asked(configure, tmp_path):
    config = configure(method="full")
    tokenizer = AutoTokenizer.from_pretrained(config.base_model)
    path = write_lines(tmp_path / "held-out.jsonl", [{"messages": []}, *make_lines(12)])
    examples = load_examples(path, "eval", tokenizer, 128)
    model = AutoModelForCausalLM.from_pretrained(config.base_model)
    return model, LabelledForward(model, config), tokenizer, choose_prompts(examples, path, COUNT)


def answers(asked, prompts, max_tokens=12):
    _, forward, tokenizer, _ = asked
    return answer_prompts(forward, tokenizer, prompts, max_tokens, lambda: False)


def test_the_same_questions_are_chosen_from_all_over_the_file(asked):
    *_, prompts = asked
    lines = [make_lines(12)[index]["messages"] for index in (1, 4, 7, 10)]
    assert [(prompt.question, prompt.expected) for prompt in prompts] == [
        (user["content"], assistant["content"]) for user, assistant in lines
    ]
    assert len({len(prompt.ids) for prompt in prompts}) > 1


def test_an_answer_is_the_one_that_it_gets_alone_and_what_generate_says(asked):
    model, _, tokenizer, prompts = asked
    together = answers(asked, prompts)
    assert together == [answers(asked, [prompt])[0] for prompt in prompts]
    assert model.training, "the model is left as a step needs it"
    plain = AutoModelForCausalLM.from_pretrained(Path(model.name_or_path)).eval()
    for prompt, sample in zip(prompts, together, strict=True):
        ids = torch.from_numpy(prompt.ids).long()[None]
        out = plain.generate(ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=12)
        assert sample.answer == tokenizer.decode(out[0, ids.shape[1] :], skip_special_tokens=True)


def test_an_answer_ends_at_its_length_and_a_stop_ends_all(asked):
    _, forward, tokenizer, prompts = asked
    short = answers(asked, prompts, max_tokens=2)
    assert [sample.complete for sample in short] == [False] * COUNT
    assert answer_prompts(forward, tokenizer, prompts, 2, lambda: True) is None


def test_a_small_file_gives_fewer(asked, tmp_path):
    *_, tokenizer, _ = asked
    path = write_lines(tmp_path / "one.jsonl", make_lines(1))
    assert len(choose_prompts(load_examples(path, "eval", tokenizer, 128), path, 3)) == 1
