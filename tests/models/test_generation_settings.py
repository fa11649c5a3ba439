"""Where a text ends is what the model's folder says, and stays so when training goes on."""

import json

import pytest

import vitral
from generation.model_folders import PROMPTS, change, llama_folder, theirs
from training import small_runs
from vitral.generation.writing import pieces
from vitral.models.generation_settings import end_ids
from vitral.training.recipes.plain import plain_recipe


def ours(model, text, **options):
    """The ids that Vitral writes, read off the trace of writing."""
    trace = model.trace_generation(text, **options)
    return [token.id for token in trace.tokens][len(model.tokens(text)) :]


def test_a_list_of_ends_stops_where_transformers_stops(tmp_path):
    folder = llama_folder(tmp_path / "m")
    free = theirs(folder, PROMPTS[0])
    later = next(id for place, id in enumerate(free) if place >= 4 and id not in free[:place])
    change(folder / "generation_config.json", eos_token_id=[256, later])
    model = vitral.load(folder)
    assert end_ids(model.module, model.tokenizer) == {256, later}
    for prompt in PROMPTS:
        assert ours(model, prompt, max_new_tokens=24) == theirs(folder, prompt)
    stopped = ours(model, PROMPTS[0], max_new_tokens=24)
    assert stopped == free[: free.index(later) + 1]
    told = "".join(pieces(model.module, model.tokenizer, PROMPTS[0], model._options({})))
    assert model.generate(PROMPTS[0]) == PROMPTS[0] + told


@pytest.mark.parametrize(
    ("generation", "configuration", "tokenizer", "expected"),
    [
        ({"eos_token_id": 7}, {"eos_token_id": 8}, {"eos_token": "a"}, {7}),
        (None, {"eos_token_id": [8, 9]}, {"eos_token": "a"}, {8, 9}),
        (None, {"eos_token_id": None}, {"eos_token": "a"}, {98}),
        (None, {"eos_token_id": None}, {"eos_token": {"content": "a"}}, {98}),
        ({"max_length": 9}, {"eos_token_id": 8}, {}, {8}),
        (None, {"eos_token_id": None}, {"eos_token": None}, {0}),
    ],
)
def test_all_three_files_are_read(tmp_path, generation, configuration, tokenizer, expected):
    folder = llama_folder(tmp_path / "m", **(generation or {}))
    change(folder / "config.json", **configuration)
    change(folder / "tokenizer_config.json", **tokenizer)
    model = vitral.load(folder)
    assert end_ids(model.module, model.tokenizer) == expected


def test_beams_end_at_any_of_the_ends(tmp_path):
    folder = llama_folder(tmp_path / "m", eos_token_id=[40, 80, 120])
    model = vitral.load(folder)
    for prompt in PROMPTS:
        expected = theirs(folder, prompt, max_new_tokens=12, num_beams=3)
        text = model.tokenizer.decode(expected, skip_special_tokens=True)
        assert model.generate(prompt, num_beams=3, max_new_tokens=12) == prompt + text


def test_going_on_from_a_model_keeps_its_marks_and_chat(tmp_path):
    start = llama_folder(tmp_path / "start", eos_token_id=[66, 67], pad_token_id=68)
    change(start / "config.json", eos_token_id=66, pad_token_id=68)
    change(start / "tokenizer_config.json", eos_token="A", pad_token="C", chat_template="{{ x }}")
    (start / "chat_template.jinja").write_text("{{ messages }}")
    data = small_runs.books(tmp_path / "books")
    recipe = plain_recipe("más", [str(data)], 2, start)
    small_runs.trainer(recipe, data, tmp_path / "run", start=start).run()
    model = tmp_path / "run" / "model"
    read = {
        name: json.loads((model / name).read_text())
        for name in ("config.json", "generation_config.json", "tokenizer_config.json")
    }
    assert (read["config.json"]["eos_token_id"], read["config.json"]["pad_token_id"]) == (66, 68)
    assert read["generation_config.json"]["eos_token_id"] == [66, 67]
    assert read["tokenizer_config.json"]["eos_token"] == "A"
    assert read["tokenizer_config.json"]["pad_token"] == "C"
    assert read["tokenizer_config.json"]["chat_template"] == "{{ x }}"
    assert (model / "chat_template.jinja").read_text() == "{{ messages }}"
    from transformers import AutoTokenizer

    theirs = AutoTokenizer.from_pretrained(model)
    assert (theirs.eos_token_id, theirs.pad_token_id) == (66, 68)
