"""What a folder's generation_config.json demands is followed as transformers follows it."""

import pytest

import vitral
from generation.model_folders import PROMPTS, change, llama_folder, theirs
from vitral.generation.folder_rules import _REFUSED
from vitral.generation.sampling import Sampling
from vitral.generation.stepping import Stepping

RULES = {
    "repetition_penalty": 1.7,
    "no_repeat_ngram_size": 2,
    "bad_words_ids": [[40], [100, 101], [13, 14]],
    "suppress_tokens": [*range(20, 120)],
    "begin_suppress_tokens": [*range(10, 200)],
    "min_new_tokens": 15,
    "min_length": 20,
    "forced_eos_token_id": 0,
    "sequence_bias": [[[66], 3.0], [[67, 68], -5.0]],
    "exponential_decay_length_penalty": [3, 1.6],
}
"""Every one changes what the small model writes."""


def ours(folder, text, **options):
    model = vitral.load(folder)
    trace = model.trace_generation(text, **options)
    return [token.id for token in trace.tokens][len(model.tokens(text)) :]


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return llama_folder(tmp_path_factory.mktemp("models") / "m")


@pytest.mark.parametrize("rule", [*RULES, "all"])
def test_greedy_text_is_that_of_transformers(plain, tmp_path, rule) -> None:
    ends = [0, 33, 77]
    without = [theirs(plain, prompt) for prompt in PROMPTS]
    said = RULES if rule == "all" else {rule: RULES[rule]}
    folder = llama_folder(tmp_path / "m", eos_token_id=ends, pad_token_id=0, **said)
    expected = [theirs(folder, prompt) for prompt in PROMPTS]
    assert expected != without, "the rule changes something"
    assert [ours(folder, prompt, max_new_tokens=24) for prompt in PROMPTS] == expected
    model = vitral.load(folder)
    together = model.generate(PROMPTS, max_new_tokens=24)
    assert together == [model.generate(prompt, max_new_tokens=24) for prompt in PROMPTS]


@pytest.mark.parametrize("rule", ["no_repeat_ngram_size", "forced_eos_token_id", "all"])
@pytest.mark.parametrize("early", [None, True])
def test_beams_follow_them_too(tmp_path, rule, early) -> None:
    said = {name: RULES[name] for name in RULES if rule in (name, "all")}
    folder = llama_folder(
        tmp_path / "m", eos_token_id=[0, 33], early_stopping=early, length_penalty=0.4, **said
    )
    model = vitral.load(folder)
    for prompt in PROMPTS[:2]:
        ids = theirs(folder, prompt, max_new_tokens=20, num_beams=3)
        text = model.tokenizer.decode(ids, skip_special_tokens=True)
        assert model.generate(prompt, num_beams=3, max_new_tokens=20) == prompt + text


def test_a_penalty_that_was_asked_for_takes_the_place_of_the_folders(plain, tmp_path) -> None:
    folder = llama_folder(tmp_path / "m", repetition_penalty=1.7)
    free = theirs(plain, PROMPTS[0])
    assert ours(folder, PROMPTS[0], max_new_tokens=24, repetition_penalty=1.0) == free
    asked = theirs(folder, PROMPTS[0], repetition_penalty=1.3)
    assert ours(folder, PROMPTS[0], max_new_tokens=24, repetition_penalty=1.3) == asked


def test_writing_step_by_step_follows_them(tmp_path) -> None:
    folder = llama_folder(tmp_path / "m", no_repeat_ngram_size=2, suppress_tokens=[*range(20, 90)])
    model = vitral.load(folder)
    stepping = Stepping(model.module, model.tokenizer, PROMPTS[2])
    written: list[int] = []
    for _ in range(16):
        written.append(stepping.draw(written, Sampling(), seed=0).id)
    assert written == theirs(folder, PROMPTS[2], max_new_tokens=16)


@pytest.mark.parametrize("windowed", [False, True])
def test_the_last_token_of_a_full_context_is_the_forced_one(tmp_path, windowed) -> None:
    folder = llama_folder(tmp_path / "m", forced_eos_token_id=5, eos_token_id=5)
    model = vitral.load(folder)
    prompt = "El perro " * 9
    stepping = Stepping(model.module, model.tokenizer, prompt, windowed=windowed)
    room = model.context - len(stepping.prompt)
    assert 5 < room < 20
    written: list[int] = []
    for _ in range(room):
        written.append(stepping.draw(written, Sampling(), seed=0).id)
    assert (written[-1] == 5) is not windowed
    assert 5 not in written[:-1]
    if not windowed:
        assert written == theirs(folder, prompt, max_new_tokens=room)


def test_older_folders_say_it_in_config_json(plain, tmp_path) -> None:
    folder = llama_folder(tmp_path / "m")
    change(folder / "config.json", no_repeat_ngram_size=2)
    model = vitral.load(folder)
    assert model.module.generation_settings["no_repeat_ngram_size"] == 2
    assert ours(folder, PROMPTS[2], max_new_tokens=24) != theirs(plain, PROMPTS[2])


@pytest.mark.parametrize("setting", sorted(_REFUSED))
def test_what_cannot_be_followed_is_refused_by_name(tmp_path, setting) -> None:
    value = {"guidance_scale": 1.5, "penalty_alpha": 0.6, "token_healing": True}.get(setting, [[1]])
    folder = llama_folder(tmp_path / "m", **{setting: value})
    with pytest.raises(vitral.VitralError) as raised:
        vitral.load(folder).generate("El perro")
    assert raised.value.key == "generation_setting_unknown"
    assert raised.value.values["setting"] == setting


@pytest.mark.parametrize("value", ["a", -3, [["b"]]])
def test_what_makes_no_sense_is_refused_by_name(tmp_path, value) -> None:
    folder = llama_folder(tmp_path / "m", bad_words_ids=value)
    with pytest.raises(vitral.VitralError) as raised:
        vitral.load(folder).generate("El perro")
    assert raised.value.values["setting"] == "bad_words_ids"


def test_what_says_nothing_changes_nothing(plain, tmp_path) -> None:
    neutral = {"repetition_penalty": 1.0, "no_repeat_ngram_size": 0, "suppress_tokens": []}
    folder = llama_folder(tmp_path / "m", do_sample=True, temperature=0.6, top_k=20, **neutral)
    assert ours(folder, PROMPTS[0], max_new_tokens=24) == theirs(plain, PROMPTS[0])
