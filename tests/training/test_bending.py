"""What the dial and the plain recipe choose bends to what a person says."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vitral.training.recipes.dial import SIZES, _recipe
from vitral.training.recipes.mistakes import RecipeError
from vitral.training.recipes.recipe_file import Setting, bent_to

CHOSEN = _recipe({"name": "x", "minutes": 1}, SIZES[3], batch=2048)


def bent(**said):
    names = {name.replace("__", "."): value for name, value in said.items()}
    return bent_to(CHOSEN, [Setting(path, value, f"--set {path}") for path, value in names.items()])


@given(st.integers(1, 300).map(lambda half: 2 * half))
@settings(deadline=None, max_examples=60)
def test_any_width_has_heads(width: int) -> None:
    model = bent(model__hidden_size=width).model
    assert model.hidden_size == width
    assert width % (2 * model.num_heads) == 0, "and a rotary turn needs pairs"
    assert model.num_heads <= CHOSEN.model.num_heads


@given(st.integers(1, 64))
@settings(deadline=None, max_examples=40)
def test_any_number_of_heads_has_a_width(heads: int) -> None:
    model = bent(model__num_heads=heads).model
    assert model.num_heads == heads
    assert model.hidden_size % (2 * heads) == 0


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"model__context": 48}, {"lengths": [48], "context": 48}),
        ({"batch__tokens": 100}, {"lengths": [64, 100], "tokens": 100}),
        ({"batch__lengths": [512]}, {"context": 512, "lengths": [512]}),
        ({"model__context": 4096}, {"context": 4096, "lengths": [64, 256]}),
        ({"model__num_key_value_heads": 4}, {"num_key_value_heads": 4, "num_heads": 4}),
        ({"schedule__warm_up": 0.4}, {"warm_up": 0.4, "decay_from": 0.4}),
        ({"model__hidden_size": 64}, {"hidden_size": 64, "num_heads": 4}),
    ],
)
def test_the_rest_gives_way(said, expected) -> None:
    found = bent(**said).model_dump()
    flat = {**found["model"], **found["batch"], **found["schedule"]}
    assert {name: flat[name] for name in expected} == expected


@pytest.mark.parametrize("form", ["gpt2", "bert", "roberta", "albert", "recurrent"])
def test_the_form_may_be_said(form: str) -> None:
    recipe = bent(model__form=form)
    assert recipe.model.form == form
    encoder = form in ("bert", "roberta", "albert")
    assert recipe.phases[0].objective == ("masked_words" if encoder else "next_token")
    assert recipe.tokenizer.kind == ("wordpiece" if encoder else "byte_bpe")


def test_a_contradiction_of_the_persons_own_is_named() -> None:
    with pytest.raises(RecipeError) as raised:
        bent(model__hidden_size=100, model__num_heads=7)
    assert "hidden_size" in str(raised.value)
    with pytest.raises(RecipeError):
        bent(model__nothing=3)
    with pytest.raises(RecipeError):
        bent(model__hidden_size="wide")
