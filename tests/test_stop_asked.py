"""Work that is not wanted any more ends at its next step, and leaves the model as it was."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import vitral
from vitral.stopping import Stop, Stopped, check_stop

SENTENCE = "El perro que persiguió al gato cruzó la calle."


def test_a_stop_is_heeded_in_its_own_thread_only() -> None:
    stop = Stop()
    stop.ask()
    check_stop()
    with stop.heeded():
        with pytest.raises(Stopped):
            check_stop()
        other = threading.Thread(target=check_stop)
        other.start()
        other.join()
    check_stop()


def test_no_handler_of_errors_takes_it_for_one() -> None:
    assert not issubclass(Stopped, Exception)


def test_a_trace_ends_at_the_next_layer_and_leaves_the_model_as_found(bert_folder: Path) -> None:
    model = vitral.load(str(bert_folder))
    expected = model.trace(SENTENCE)
    module = model.module.train()
    stop = Stop()
    entered: list[int] = []

    def enter(layer: int) -> Callable[..., None]:
        def hook(*_: object) -> None:
            entered.append(layer)
            if layer == 1:
                stop.ask()

        return hook

    layers = [part for part in module.modules() if type(part).__name__ == "BertLayer"]
    layers = layers or [part for part in module.modules() if hasattr(part, "attention_norm")]
    assert len(layers) == 3
    for number, layer in enumerate(layers):
        layer.register_forward_pre_hook(enter(number))
    hooks = [len(part._forward_hooks) + len(part._forward_pre_hooks) for part in module.modules()]
    config = vars(module.config).copy()
    with stop.heeded(), pytest.raises(Stopped):
        model.trace(SENTENCE)
    assert entered == [0, 1]  # the one that was running ended; the next did not begin
    assert module.training
    assert torch.is_grad_enabled()
    assert vars(module.config) == config
    assert hooks == [
        len(part._forward_hooks) + len(part._forward_pre_hooks) for part in module.modules()
    ]
    again = model.trace(SENTENCE)
    for layer in range(3):
        assert torch.equal(again.attention(layer, 2), expected.attention(layer, 2))


def test_measuring_a_long_pattern_and_writing_end_too(llama_folder: Path) -> None:
    from vitral.tracing.attention.blocked_pass import measure

    model = vitral.load(str(llama_folder))
    record = model.trace(SENTENCE).attentions["layers.0.attention"]
    stop = Stop()
    pieces = model.stream("La niña", max_new_tokens=20, temperature=0)
    with stop.heeded():
        next(pieces)
        measure(record)
        stop.ask()
        with pytest.raises(Stopped):
            measure(record)
        with pytest.raises(Stopped):
            list(pieces)
        with pytest.raises(Stopped):
            model.generate("La niña", max_new_tokens=20, num_beams=2)


def test_explaining_ends_too(bert_folder: Path) -> None:
    from vitral.explain import ablate, flow, rollout

    model = vitral.load(str(bert_folder))
    trace = model.trace(SENTENCE)
    heads: list[tuple[int, int]] = []
    stop = Stop()

    def told(done: int, total: int) -> None:
        heads.append((done, total))
        stop.ask()

    with stop.heeded():
        with pytest.raises(Stopped):
            ablate(model, SENTENCE, progress=told)
        assert len(heads) == 1
        for explain in (lambda: flow(trace, 3), lambda: rollout(trace)):
            with pytest.raises(Stopped):
                explain()
    assert torch.equal(model.trace(SENTENCE).attention(2, 1), trace.attention(2, 1))
