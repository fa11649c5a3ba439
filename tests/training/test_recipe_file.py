"""Reading recipes: every mistake at once, with its place and the name that was meant."""

import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from vitral.errors import VitralError
from vitral.training.recipes.mistakes import RecipeError
from vitral.training.recipes.recipe import Recipe
from vitral.training.recipes.recipe_entries import all_entries, takes
from vitral.training.recipes.recipe_file import Setting, read_recipe, with_settings, write_recipe

RECIPES = sorted((Path(__file__).parents[2] / "recipes").glob("*.yaml"))
GOOD = "name: prueba\nmodel: { form: llama }\nsteps: 10\n"
BAD = """\
name: prueba
model:
  form: llama
  num_layer: 3
  hidden_size: 30
  num_heads: 4
  context: 64
batch: { tokens: 32, lengths: [64, 128] }
optimizer:
  rate: 1e-3
  kind: adan
  clip: -1
data: { held_out: true }
precision: half
step: 100
minutes: 3
minutes: 4
schedule: { warm_up: 0.5, decay_from: 0.1 }
zzzz: 1
"""
SEED = "a whole number ≥ 0 and ≤ 9007199254740991"
SAID = {
    "model.num_layer (line 4)": "unknown; did you mean num_layers?",
    "model.hidden_size (line 5)": "30 is not a multiple of num_heads, 4",
    "batch.lengths (line 8)": "a window of 128 tokens is longer than model.context, 64",
    "batch.tokens (line 8)": "32 tokens are fewer than one window of batch.lengths, 128",
    "optimizer.kind (line 11)": "expected one of sgd, momentum, rmsprop, adagrad, adam",
    "optimizer.clip (line 12)": "expected a number > 0 and ≤ 1000 or null, not -1",
    "data.held_out (line 13)": "a number > 0 and < 1, not true",
    "precision (line 14)": 'expected one of float32, bfloat16, float16, not "half"',
    "step (line 15)": "unknown; did you mean steps?",
    "minutes (line 17)": "appears twice (first in line 16)",
    "schedule.warm_up (line 18)": "0.5 is later than schedule.decay_from, 0.1",
    "zzzz (line 19)": "unknown; the known ones are name, model, tokenizer",
    "steps": "give either steps or minutes, not both",
}


def mistakes(text: str, tmp_path: Path, *settings: str, language: str = "en") -> list[str]:
    path = tmp_path / "mala.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RecipeError) as caught:
        read_recipe(path, [Setting.read(each) for each in settings])
    head, *lines = caught.value.lines(language)
    assert str(path) in head
    assert str(caught.value) == " ".join(caught.value.lines("en"))
    return lines


def test_all_mistakes_are_listed_at_once(tmp_path: Path) -> None:
    lines = mistakes(BAD, tmp_path)
    assert [line.split(": ")[0] for line in lines] == list(SAID)
    for line, (place, words) in zip(lines, SAID.items(), strict=True):
        assert line.startswith(place)
        assert words in line


def test_they_are_said_in_spanish_too(tmp_path: Path) -> None:
    lines = mistakes(BAD, tmp_path, language="es")
    assert len(lines) == len(SAID)
    assert lines[0] == "model.num_layer (línea 4): desconocida; ¿querías decir num_layers?"
    assert "30 no es múltiplo de num_heads, 4" in lines[1]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ["a recipe consists of entries, each written “name: value”"]),
        ("- 1", ["a recipe consists of entries, each written “name: value”"]),
        ("a: [", ["line 1: this is not YAML (expected the node content, but found"]),
        ("a: 1\nb: &x [*x]", ["line 2: this is not YAML"]),
        ("a: !!python/object:os.system x", ["line 1: this is not YAML (could not determine"]),
        ("name: x\nmodel: { form: lama }", ['model.form (line 2): expected one of llama, gpt2']),
        ("name: x\nmodel: 5", ["model (line 2): expected entries of its own, not 5"]),
        (GOOD + "1: 2\n", ["1 (line 4): unknown"]),
        (GOOD + "seed: yes\n", [f"seed (line 4): expected {SEED}, not true"]),
        (GOOD + "seed: '5'\n", [f'seed (line 4): expected {SEED}, not "5"']),
        (GOOD + "sample: 2024-01-01\npatience: 0\n", ["patience (line 5): expected a whole"]),
        (GOOD + "minutes: .inf\n", ["minutes (line 4): expected a number > 0 and ≤ 1000000"]),
        (GOOD + "optimizer: { betas: [0.9, 2] }\n", ["optimizer.betas.1 (line 4): expected a"]),
        ("model: { form: bert }\nsteps: 3\nphases: [{ objective: next_token }]\nname: x", [
            "phases.0.objective (line 3): the architecture bert learns masked_words",
        ]),
        ("name: x\nmodel: { form: bert }\nsteps: 3\nphases: [{ until: 2 }]", [
            "phases.0.objective (line 4): missing; expected one of next_token",
            "phases.0.until (line 4): expected a number > 0 and ≤ 1, not 2",
        ]),
        (GOOD + "phases:\n  - { objective: next_token }\n  - { objective: next_token }\n", [
            "phases (line 4): each phase ends (until) after the one before it",
        ]),
        (GOOD + "phases:\n  - { objective: next_token, until: 0.5 }\n"
         "  - { objective: next_token, num_layers: 1 }\n", [
            "phases.1.num_layers (line 6): 1 layers are fewer than in the phase before, 6",
        ]),
        (GOOD + "tokenizer: { kind: teacher }\n", ["tokenizer.kind (line 4): no phase has a"]),
        ("model: { form: bert, hidden_size: 100 }\nbatch: { tokens: 3 }", [
            "model.hidden_size (line 1): 100 is not a multiple of num_heads, 8",
            "batch.tokens (line 2): 3 tokens are fewer than one window of batch.lengths, 256",
            "name: missing; expected text",
            "steps: give either steps or minutes",
        ]),
    ],
)  # fmt: skip
def test_one_file_and_what_is_wrong_with_it(text: str, said: list[str], tmp_path: Path) -> None:
    lines = mistakes(text, tmp_path)
    assert len(lines) == len(said), lines
    for line, words in zip(lines, said, strict=True):
        assert line.startswith(words)


def test_a_contradiction_with_an_unreadable_entry_is_none(tmp_path: Path) -> None:
    lines = mistakes("name: x\nmodel: { form: llama, context: many }\nsteps: 1\n", tmp_path)
    assert len(lines) == 1
    assert lines[0].startswith("model.context (line 2): expected a whole number ≥ 1")


def test_settings_are_checked_as_the_file_is(tmp_path: Path) -> None:
    lines = mistakes(GOOD, tmp_path, "model.num_layer=4", "batch.tokens=many", "seed.x=1")
    assert lines[:2] == [
        "batch.tokens (--set batch.tokens=many): expected a whole number ≥ 1 and ≤ 1000000000, "
        'not "many"',
        "model.num_layer (--set model.num_layer=4): unknown; did you mean num_layers?",
    ]
    assert lines[2].startswith("seed (--set seed.x=1): expected a whole number")
    assert len(lines) == 3
    for text in ("model.num_layers", "=4", "model..x=4", "a=[", ""):
        with pytest.raises(VitralError) as caught:
            Setting.read(text)
        assert caught.value.key == "setting_unreadable"


def test_settings_take_the_place_of_the_files(tmp_path: Path) -> None:
    path = tmp_path / "buena.yaml"
    path.write_text(GOOD + "optimizer: { rate: 1e-3 }\n", encoding="utf-8")
    settings = ["minutes=2.5", "model.num_layers=4", "data.held_out=[uno, dos]", "sample=El niño"]
    made = read_recipe(path, [Setting.read(each) for each in settings])
    assert (made.steps, made.minutes, made.model.num_layers) == (None, 2.5, 4)
    assert (made.data.held_out, made.sample) == (["uno", "dos"], "El niño")
    assert made.optimizer.rate == 0.001
    again = with_settings(made, [Setting.read("phases.0.mask_share=0.3")])
    assert again.phases[0].mask_share == 0.3
    assert again.model_copy(update={"phases": made.phases}) == made


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_shipped_recipes_are_right_and_written_as_they_are_read(path: Path, tmp_path: Path) -> None:
    made = read_recipe(path)
    assert made.name == path.stem
    head = path.read_text(encoding="utf-8").split("\nname:")[0]
    assert "vitral train" in head
    assert f"--recipe recipes/{path.name}" in head
    write_recipe(made, tmp_path / "copia.yaml")
    assert read_recipe(tmp_path / "copia.yaml") == made


def test_a_recipe_that_is_not_there_or_no_text(tmp_path: Path) -> None:
    with pytest.raises(VitralError) as caught:
        read_recipe(tmp_path / "no.yaml")
    assert caught.value.key == "recipe_missing"
    (tmp_path / "latin.yaml").write_bytes("name: niño".encode("latin-1"))
    with pytest.raises(VitralError) as caught:
        read_recipe(tmp_path / "latin.yaml")
    assert caught.value.key == "file_not_utf8"


def test_every_entry_can_say_what_it_takes() -> None:
    entries = dict(all_entries())
    assert len(entries) > 40
    for path in entries:
        place = path.replace("*", "0")
        form = place.partition("[")[2].partition("]")[0]
        phases = [{"teacher": {"model": "x"}}]
        given_ = {"model": {"form": form or "llama"}, "phases": phases, "data": {"pairs": {}}}
        for language in ("en", "es"):
            words = takes(place.replace(f"[{form}]", ""), given_, language)
            assert words.strip(), path


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["form", "kind", "tokens", "model", "x"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(st.sampled_from([*Recipe.model_fields, "modelo", "x"]), VALUES))
def test_whatever_a_file_holds_nothing_else_is_raised_than_its_mistakes(
    entries: dict[str, object],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "r.yaml"
        path.write_text(yaml.safe_dump(entries, allow_unicode=True), encoding="utf-8")
        with suppress(RecipeError):
            read_recipe(path)
