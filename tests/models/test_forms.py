"""All that is known of an architecture stands in one file, and one line registers it."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from vitral.models import forms
from vitral.models.form import Form

SOURCE = Path(forms.__file__).parents[1]
MADE_UP = Path(__file__).with_name("made_up_form.py")


@pytest.mark.parametrize("name", forms.names())
def test_a_form_is_what_it_says(name: str) -> None:
    form = forms.form_named(name)
    assert form.kind in ("decoder", "encoder", "encoder-decoder")
    assert form.shape.model_fields["form"].annotation.__args__ == (name,)
    config = form.config(**form.shape(form=name).config_entries())
    assert config.architecture in form.folder.architectures
    assert forms.form_of_folder(config.architecture) is form
    entries = form.folder.entries_of(config)
    assert form.folder.can_read(entries)
    assert form.config(**form.folder.shape_of(entries)) == config
    assert set(form.marks) <= set(vars(config))
    transformers_knows_it = not form.folder.model_type.startswith(forms.OWN)
    assert transformers_knows_it == (form.folder.weights is not None)


def test_the_first_form_is_the_one_that_a_plain_run_trains() -> None:
    assert forms.names()[0] == forms.DEFAULT == "llama"
    assert len(set(forms.names())) == len(forms.names())


def test_no_form_is_ours() -> None:
    assert forms.form_of_folder("SwinModel") is None
    assert forms.form_of_folder("") is None
    assert forms.form_of(object()) is None


def test_listing_names_imports_no_model() -> None:
    program = (
        "import sys\n"
        "from vitral.models import forms\n"
        "assert 'llama' in forms.names() and forms.DEFAULT\n"
        "print({'torch', 'pydantic', 'vitral.models.llama'} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (run.stdout, run.stderr) == ("set()\n", "")


# What transformers' own configurations of these families say; no form of ours is meant.
OF_TRANSFORMERS = {("models/description.py", "roberta")}


def words_of(path: Path) -> set[str]:
    """All names and texts of a module, its imports included; without comments and docstrings."""
    words: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            words.add(node.value)
        elif isinstance(node, ast.Name):
            words.add(node.id)
        elif isinstance(node, ast.Attribute):
            words.add(node.attr)
        elif isinstance(node, ast.ImportFrom):
            words |= {f"{node.module}", *(alias.name for alias in node.names)}
        elif isinstance(node, ast.Import):
            words |= {alias.name for alias in node.names}
    return words


def said_only_at_home(form: Form) -> set[str]:
    """How other files would have to call the form if they knew of it."""
    classes = (form.config, form.model, form.shape)
    return {
        form.name,
        *form.folder.architectures,
        form.folder.model_type,
        form.model.__module__,
        *(each.__name__ for each in classes),
    }


def test_no_other_file_names_an_architecture() -> None:
    homes = {forms.form_named(name).model.__module__: name for name in forms.names()}
    found = []
    for path in sorted(SOURCE.rglob("*.py")):
        place = path.relative_to(SOURCE).as_posix()
        words = words_of(path)
        module = "vitral." + place.removesuffix(".py").replace("/", ".")
        if place.startswith("exporting/"):  # says what llama.cpp calls them, of which it has these
            continue
        for home, name in homes.items():
            if module in (home, "vitral.models.forms"):
                continue
            said = words & said_only_at_home(forms.form_named(name))
            if module in homes:  # two forms may share what their folders are called
                said -= said_only_at_home(forms.form_named(homes[module]))
            if module == "vitral.models.recurrent_sequence_to_sequence":  # made of its parts
                said -= {"vitral.models.recurrent"}
            found += [f"{place}: {word}" for word in said if (place, word) not in OF_TRANSFORMERS]
    assert not found


def test_a_made_up_form_trains_opens_is_traced_and_writes(tmp_path: Path) -> None:
    """In a process of its own, for it adds to the register: one file, one line."""
    (tmp_path / "made_up_form.py").write_text(MADE_UP.read_text(encoding="utf-8"))
    (tmp_path / "libro.txt").write_text("El gato duerme. La niña lee.\n" * 200, encoding="utf-8")
    (tmp_path / "programa.py").write_text(PROGRAM, encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "programa.py"], cwd=tmp_path, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines()[-1] == "all of it"


PROGRAM = """
from pathlib import Path

import torch

from vitral.models import forms

forms.register("made_up", "made_up_form")  # the line

import vitral
from vitral.generation.fused_weights import can_be_fast
from vitral.models.forms import form_of
from vitral.studio.rooms.train.form import form as form_in_the_browser
from vitral.training.optimization.growth import grow
from vitral.training.preparation.corpus_preparation import prepare
from vitral.training.recipes.plain import plain_recipe
from vitral.training.recipes.recipe import Recipe
from vitral.training.recipes.recipe_entries import takes
from vitral.training.trainer import Trainer

assert "made_up" in takes("model.form", {}, "en")
fields = {field.path: field for field in form_in_the_browser({})}
assert "made_up" in fields["model.form"].choices
assert "made_up" in fields["watch"].forms
assert fields["model.loudness"].forms == ["made_up"]
assert fields["model.loudness"].words.model_dump() == {"es": "loudness", "en": "loudness"}

shape = {"form": "made_up", "context": 16, "hidden_size": 16, "num_layers": 2, "num_heads": 2}
recipe = Recipe.model_validate({
    "name": "made-up",
    "model": shape | {"intermediate_size": 24, "loudness": 1.5},
    "tokenizer": {"kind": "byte"},
    "batch": {"tokens": 64, "lengths": [16]},
    "data": {"cleaning": "plain", "windows": "anywhere"},
    "phases": [
        {"objective": "next_token", "num_layers": 1, "until": 0.5}, {"objective": "next_token"}
    ],
    "steps": 6,
    "evaluate_every": 3,
    "watch": "El gato",
})
run = Path("run")
Trainer(recipe, prepare(recipe, ["libro.txt"], run), run).run()

model = vitral.load(run / "model")
assert type(model.module).__name__ == "MadeUp" and form_of(model.module).name == "made_up"
assert (model.kind, model.num_layers, model.context) == ("decoder", 2, 16)
assert model.module.config.loudness == 1.5
assert plain_recipe("x", [], 10, run / "model").model == recipe.model

trace = model.trace("El gato")
scores = trace["layers.1.attention.q"][0] @ trace["layers.1.attention.k"][0].T * 8**-0.5
hidden = torch.ones_like(scores).triu(1).bool()
eager = scores.masked_fill(hidden, float("-inf")).softmax(-1)
torch.testing.assert_close(trace.attention(layer=1, head=0), eager, atol=1e-5, rtol=0)

assert can_be_fast(model.module)
quick = model.generate("El", max_new_tokens=8, temperature=0)
model.module.layers[0].register_forward_hook(lambda *call: None)  # now it is not
assert not can_be_fast(model.module)
assert model.generate("El", max_new_tokens=8, temperature=0) == quick
print("all of it")
"""
