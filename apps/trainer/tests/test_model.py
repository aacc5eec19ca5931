import pytest
import torch
from transformers import AutoModelForCausalLM, MambaConfig, MambaForCausalLM

from tiny import make_lines, make_tokenizer
from trainer.conversation import ConversationEncoder
from trainer.failure import TrainerError
from trainer.model import LabelledForward, computed_in, load_model, require_isolation, trainable_parameters

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def batch():
    encoder = ConversationEncoder(make_tokenizer())
    return [encoder.encode(line["messages"]) for line in make_lines(5)]


def reference_loss(model, example) -> float:
    """transformers' own loss, one example at a time, nothing padded, every logit computed."""
    ids = torch.from_numpy(example.ids).long()[None]
    labels = torch.where(torch.from_numpy(example.learned)[None], ids, -100)
    return model(input_ids=ids, labels=labels).loss.item() * example.label_count


@pytest.mark.parametrize("packing", ["length-grouped", "packed"])
def test_the_loss_of_a_batch_is_that_of_its_examples_alone(configure, batch, packing):
    config = configure(packing=packing, dropout=0.0)
    plain = AutoModelForCausalLM.from_pretrained(config.base_model)
    with torch.no_grad():
        alone = sum(reference_loss(plain, example) for example in batch)
        together = LabelledForward(load_model(config, CPU), config).summed_loss(batch).item()
    assert together == pytest.approx(alone, rel=1e-5)


@pytest.mark.parametrize("packing", ["length-grouped", "packed"])
def test_the_gradient_of_a_batch_is_that_of_its_examples_alone(configure, batch, packing):
    config = configure(packing=packing, method="full")

    def gradients(groups):
        model = load_model(config, CPU)
        forward = LabelledForward(model, config)
        for group in groups:
            forward.summed_loss(group).backward()
        return [parameter.grad for parameter in trainable_parameters(model).values()]

    for together, alone in zip(gradients([batch]), gradients([[example] for example in batch]), strict=True):
        assert torch.allclose(together, alone, rtol=1e-4, atol=1e-4)


def test_refuses_to_pack_for_a_model_that_does_not_keep_examples_apart(configure, batch):
    # A recurrent model carries its state over the border, whatever the positions say.
    config = configure(packing="packed")
    torch.manual_seed(0)
    leaky = MambaForCausalLM(MambaConfig(vocab_size=384, hidden_size=16, state_size=4, num_hidden_layers=1))
    with pytest.raises(TrainerError, match="cannot keep packed examples apart"):
        require_isolation(leaky, LabelledForward(leaky, config), batch[:2])
    sound = load_model(config, CPU)
    forward = LabelledForward(sound, config)
    require_isolation(sound, forward, batch[:2])
    require_isolation(sound, forward, batch[:1])


@pytest.fixture
def fast_bfloat16(monkeypatch):
    """Whatever this machine is good at."""
    monkeypatch.setattr("trainer.model.has_fast_bfloat16", lambda device: True)


def test_a_cpu_that_is_slow_at_bfloat16_computes_in_float32_and_a_gpu_does_as_asked(configure, monkeypatch):
    config = configure(precision="bfloat16")
    assert computed_in(config, torch.device("cuda")) == torch.bfloat16
    for is_fast, expected in ((True, torch.bfloat16), (False, torch.float32)):
        monkeypatch.setattr("torch.ops.mkldnn._is_mkldnn_bf16_supported", lambda is_fast=is_fast: is_fast)
        assert computed_in(config, CPU) == expected
        frozen = {value.dtype for value in load_model(config, CPU).parameters() if not value.requires_grad}
        assert frozen == {expected}
    assert computed_in(configure(precision="float32"), CPU) == torch.float32


@pytest.mark.usefixtures("fast_bfloat16")
def test_what_is_trained_is_float32_and_what_is_frozen_has_the_precision_asked_for(configure):
    adapter = load_model(configure(precision="bfloat16"), CPU)
    assert {value.dtype for value in trainable_parameters(adapter).values()} == {torch.float32}
    assert {value.dtype for value in adapter.parameters() if not value.requires_grad} == {torch.bfloat16}
    full = load_model(configure(precision="bfloat16", method="full"), CPU)
    assert {value.dtype for value in full.parameters()} == {torch.float32}


@pytest.mark.usefixtures("fast_bfloat16")
def test_bfloat16_stays_close_to_float32(configure, batch):
    losses = []
    for precision in ("float32", "bfloat16"):
        config = configure(precision=precision, dropout=0.0)
        with torch.no_grad():
            losses.append(LabelledForward(load_model(config, CPU), config).summed_loss(batch).item())
    assert losses[0] == pytest.approx(losses[1], rel=0.02)


@pytest.mark.usefixtures("fast_bfloat16")
def test_short_rows_attend_in_float32_on_a_cpu_with_the_gradients_of_bfloat16(configure, batch, monkeypatch):
    def gradients():
        config = configure(precision="bfloat16", dropout=0.0)
        torch.manual_seed(0)
        model = load_model(config, CPU)
        seen = set()
        fused = torch.nn.functional.scaled_dot_product_attention

        def watched(query, *arguments, **options):
            seen.add(query.dtype)
            return fused(query, *arguments, **options)

        with monkeypatch.context() as patched:
            patched.setattr(torch.nn.functional, "scaled_dot_product_attention", watched)
            LabelledForward(model, config).summed_loss(batch).backward()
        values = [parameter.grad.flatten() for parameter in trainable_parameters(model).values()]
        return torch.cat(values), seen

    short, short_types = gradients()
    monkeypatch.setattr("trainer.attention._SHORT", 0)
    long, long_types = gradients()
    assert short_types == {torch.float32}
    assert long_types == {torch.bfloat16}
    assert torch.nn.functional.cosine_similarity(short, long, dim=0) > 0.999


@pytest.mark.skipif(torch.cuda.is_available(), reason="only where there is no GPU")
def test_refuses_qlora_without_a_gpu(configure):
    with pytest.raises(TrainerError, match="needs an NVIDIA GPU") as caught:
        load_model(configure(method="qlora"), CPU)
    assert caught.value.code == "INVALID_INPUT"


def test_refuses_target_modules_that_the_model_does_not_have(configure):
    with pytest.raises(TrainerError, match="does not fit this base model") as caught:
        load_model(configure(targetModules=["nonexistent"]), CPU)
    assert caught.value.code == "INVALID_INPUT"


@pytest.mark.parametrize("where", ["absent-org/absent-model", "absent-folder", "not a name at all?!"])
def test_an_unknown_base_model_is_told_apart_from_a_bug(configure, where):
    with pytest.raises(TrainerError) as caught:
        load_model(configure(baseModel=where), CPU)
    assert caught.value.code == "MODEL_UNKNOWN"
    assert where in caught.value.message
