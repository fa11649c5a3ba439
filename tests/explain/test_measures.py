"""Every measure on heads whose answer is known exactly, and the table that lists them."""

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor

import vitral
from explain.hand_wired import even, hand_wired, looking_at, trace_of
from parity.random_models import random_model
from vitral.errors import VitralError
from vitral.explain import MEASURES, HeadMeasures, measures, received, weighted_norms
from vitral.explain.roles import ROLES, role_of
from vitral.messages import LANGUAGES, catalogue
from vitral.tracing.trace import Trace

SIZE = 6
BACK = [0, 0, 1, 2, 3, 4]
ON = [1, 2, 3, 4, 5, 5]
SELF = list(range(SIZE))
START = [0] * SIZE


def one(name: str, pattern: Tensor, **options: object) -> float:
    return float(MEASURES[name](trace_of(pattern, **options))[0, 0])  # type: ignore[arg-type]


def test_the_wiring_gives_the_pattern() -> None:
    pattern = torch.rand(3, SIZE, SIZE).softmax(-1)
    torch.testing.assert_close(hand_wired(pattern).pattern(), pattern, atol=1e-6, rtol=0)


@pytest.mark.parametrize(
    ("name", "pattern", "expected"),
    [
        ("entropy", looking_at(SELF), 0.0),
        ("entropy", even(SIZE), 1.0),
        ("confidence", looking_at(ON), 1.0),
        ("confidence", even(SIZE), 1 / SIZE),
        ("distance", looking_at(SELF), 0.0),
        ("distance", looking_at(BACK), 5 / 6),  # the first token looks at itself
        ("distance", even(SIZE), 35 / 18),  # (n² − 1) / 3n
        ("previous", looking_at(BACK), 1.0),
        ("previous", looking_at(ON), 0.0),
        ("previous", even(SIZE), 1 / SIZE),
        ("next", looking_at(ON), 1.0),
        ("next", looking_at(SELF), 0.0),
        ("same", looking_at(SELF), 1.0),
        ("same", looking_at(BACK), 1 / 6),
        ("first", looking_at(START), 1.0),
        ("first", looking_at(BACK), 1 / 5),
        ("hub", looking_at(START), 1.0),
        ("hub", looking_at(SELF), 1 / 6),
        ("hub", looking_at(BACK), 2 / 6),
    ],
)
def test_known_answers(name: str, pattern: Tensor, expected: float) -> None:
    assert one(name, pattern) == pytest.approx(expected, abs=1e-6)


def test_entropy_is_counted_against_what_may_be_seen() -> None:
    assert one("entropy", even(SIZE, causal=True), causal=True) == pytest.approx(1, abs=1e-6)
    assert math.isnan(one("entropy", torch.ones(1, 1, 1))), "a single token has no choice"


def test_entropy_of_what_a_sink_leaves() -> None:
    # Half of each row goes to the sink: a logit of log 1, beside scores that sum to one.
    record = hand_wired(even(4), sinks=torch.zeros(1))
    trace = trace_of(even(4))
    lse = torch.full((1, 4), math.log(2))
    halved = type(record)(**{**vars(record), "lse": lse})
    trace.attentions["layers.0.attention"] = halved
    torch.testing.assert_close(halved.pattern().sum(-1), torch.full((1, 4), 0.5))
    assert float(MEASURES["entropy"](trace)[0, 0]) == pytest.approx(1, abs=1e-6)


def test_separators_are_special_tokens_and_punctuation() -> None:
    words = ["[CLS]", "Hola", ",", "Ana", "…", "[SEP]"]
    assert one("separators", looking_at([5] * SIZE), words=words) == pytest.approx(1)
    assert one("separators", looking_at([1, 1, 1, 3, 3, 3]), words=words) == pytest.approx(0)
    assert one("separators", even(SIZE), words=words) == pytest.approx(4 / 6)


def test_repetition_on_a_series_said_twice() -> None:
    words = list("abcabc")
    where_it_stood = looking_at([0, 1, 2, 0, 1, 2])
    what_followed = looking_at([0, 1, 2, 1, 2, 3])
    assert one("duplicate", where_it_stood, words=words) == pytest.approx(1)
    assert one("induction", where_it_stood, words=words) == pytest.approx(0)
    assert one("induction", what_followed, words=words) == pytest.approx(1)
    assert one("duplicate", what_followed, words=words) == pytest.approx(0)
    assert one("duplicate", even(SIZE), words=words) == pytest.approx(1 / 6)
    assert math.isnan(one("induction", even(SIZE))), "no token stands twice"


def test_attention_received_is_the_columns_share() -> None:
    trace = trace_of(looking_at(BACK), even(SIZE))
    shares = received(trace)
    torch.testing.assert_close(shares[0, 0], torch.tensor([2.0, 1, 1, 1, 1, 0]) / 6)
    torch.testing.assert_close(shares[1, 0], torch.full((SIZE,), 1 / 6))


def test_layers_with_fewer_heads_are_filled_with_nothing() -> None:
    trace = trace_of(torch.cat([even(4), even(4)]), even(4))
    found = MEASURES["entropy"](trace)
    assert found.shape == (2, 2)
    assert math.isnan(float(found[1, 1]))
    assert len(measures(trace).heads()) == 3
    with pytest.raises(VitralError, match="differ"):
        received(trace)


@pytest.mark.parametrize("family", ["gpt2", "llama", "bert", "t5"])
def test_real_models_stay_in_range(family: str) -> None:

    trace = vitral.load(random_model(family)).trace(ids=[3, 8, 5, 9, 3, 8, 7, 2])
    for part in trace.parts:
        table = measures(trace, part)
        assert ("previous" in table) == (part != "cross")
        for name, values in table.values.items():
            measure = MEASURES[name]
            known = values[~values.isnan()]
            assert values.shape[1] == table.num_heads
            assert bool((known >= measure.low - 1e-5).all()), name
            highest = len(trace.tokens) - 1 if measure.high is None else measure.high
            assert bool((known <= highest + 1e-5).all()), name


def test_places_between_two_texts_mean_nothing() -> None:
    trace = vitral.load(random_model("t5")).trace(ids=[3, 8, 5], decoder_ids=[0, 4])
    with pytest.raises(VitralError, match="between two"):
        MEASURES["previous"](trace, "cross")


def test_the_measure_is_the_mean_of_the_pattern() -> None:
    trace = vitral.load(random_model("bert")).trace(ids=[3, 8, 5, 9])
    table = measures(trace)
    weights = torch.stack([trace.attention(2, head) for head in range(trace.num_heads)])
    torch.testing.assert_close(
        table["previous"][2], weights.diagonal(-1, 1, 2).mean(-1), atol=1e-6, rtol=0
    )
    torch.testing.assert_close(table["confidence"][2], weights.amax(-1).mean(-1))
    entropy = -(weights * weights.log()).sum(-1).mean(-1) / math.log(4)
    torch.testing.assert_close(table["entropy"][2], entropy, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize(
    ("pattern", "role"),
    [
        (looking_at(BACK), "previous"),
        (looking_at(ON), "next"),
        (looking_at(SELF), "same"),
        (looking_at(START), "first"),
        (even(SIZE), "even"),
        (looking_at([2] * SIZE), "near"),
    ],
)
def test_roles_of_hand_wired_heads(pattern: Tensor, role: str) -> None:
    table = measures(trace_of(pattern))
    assert table.role(0, 0) == role
    assert table.sentence(0, 0, "es") != table.sentence(0, 0, "en")


def test_repetition_and_idleness_have_their_roles() -> None:
    letters = [*"abcd", *"abcd"]
    follow = looking_at([0, 0, 0, 0, 1, 2, 3, 4])
    assert measures(trace_of(follow, words=letters)).role(0, 0) == "induction"
    words = ["[CLS]", *"abcd", "[SEP]"]
    rests = measures(trace_of(looking_at([5] * 6), words=words))
    assert rests.role(0, 0) == "idle"
    assert rests.sentence(0, 0, "es") == "inactiva: reposa el 100 % de su atención"
    stops = [*"abcde", "."]
    assert measures(trace_of(looking_at([5] * 6), words=stops)).role(0, 0) == "separators"
    assert role_of({"distance": 9.0}) == "mixed"


def test_half_a_row_may_rest_and_the_other_half_say_what_the_head_does() -> None:
    words = ["[CLS]", *"abcd", "[SEP]"]
    pattern = 0.4 * looking_at([0, 0, 1, 2, 3, 4]) + 0.6 * looking_at([5] * 6)
    table = measures(trace_of(pattern, words=words))
    assert float(table["previous"][0, 0]) == pytest.approx(0.4)
    # The first two see nothing but what rests: 1, 1, and four times 0.6.
    assert float(table["resting"][0, 0]) == pytest.approx((2 + 4 * 0.6) / 6)
    assert table.role(0, 0) == "previous"
    assert table.sentence(0, 0, "en") == (
        "looks at the previous token (80 %), leaving out the 73 % that rests"
    )


def test_a_decoder_rests_on_its_first_token_and_its_first_row_does_not_count() -> None:
    pattern = 0.5 * looking_at([0, 0, 0, 0]) + 0.5 * looking_at([0, 1, 2, 3])
    table = measures(trace_of(pattern, causal=True))
    assert float(table["resting"][0, 0]) == pytest.approx(0.5)
    assert float(measures(trace_of(pattern))["resting"][0, 0]) == 0
    record = hand_wired(even(4), sinks=torch.tensor([math.log(12.0)]))
    record = replace(record, lse=torch.full((1, 4), math.log(16.0)), query=record.query * 0)
    trace = Trace(
        "sinks", None, trace_of(even(4)).tokens, attentions={"layers.0.attention": record}
    )
    assert float(MEASURES["resting"](trace)[0, 0]) == pytest.approx(0.75)


def test_what_a_head_writes_is_the_norms_of_what_does_not_rest(bert_folder: object) -> None:
    model = vitral.load(str(bert_folder))
    trace = model.trace("El gato y el perro.")
    found = MEASURES["writes"](trace, None, model)
    rests = torch.tensor([token.special for token in trace.tokens])
    for layer in range(trace.num_layers):
        sizes = weighted_norms(trace, model, layer).masked_fill(rests, 0).sum((1, 2))
        torch.testing.assert_close(found[layer], sizes / sizes.max(), atol=1e-5, rtol=1e-5)
    assert bool(MEASURES["writes"](trace).isnan().all())  # not known without the model
    with model.edit() as edit:
        edit.silence(layer=1, head=2)
        silent = measures(model.trace("El gato y el perro."), model=model)
    assert silent.role(1, 2) == "idle"
    assert silent.sentence(1, 2, "en") == "idle: writes 0 % of its layer's largest"
    assert [each["role"] for each in silent.heads()].count("idle") == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_measure_and_role_has_its_words(language: str) -> None:
    words = catalogue(language)
    for name, measure in MEASURES.items():
        assert measure.label(language)
        assert measure.sentence(language).endswith(".")
        assert measure.source
        assert measure.cost
        assert measure.__doc__ is not None
        assert "[H]" in measure.__doc__, name
    assert {f"role.{role}" for role in ROLES} <= words.keys()


def test_the_table_is_exported(bert_folder: object) -> None:
    trace = vitral.load(str(bert_folder)).trace("El gato y el perro.")
    table = vitral.measures(trace)
    assert isinstance(table, HeadMeasures)
    assert list(table) == list(MEASURES)
    heads = table.heads()
    assert len(heads) == 12
    assert heads[5]["entropy"] == pytest.approx(float(table["entropy"][1, 1]))
