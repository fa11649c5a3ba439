"""Our models and transformers' give the same logits, whoever wrote the folder.

They are compared in double precision, where no rounding hides a mistake or looks like one; what
is left are the rotary angles, which both find in single precision, by two formulas.
"""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import transformers
from transformers import (
    AlbertForMaskedLM,
    BertForMaskedLM,
    BertForPreTraining,
    GPT2LMHeadModel,
    LlamaForCausalLM,
    ModernBertForMaskedLM,
    PreTrainedModel,
    RobertaForMaskedLM,
)

from vitral.models import hugging_face
from vitral.models.albert import Albert, AlbertConfig
from vitral.models.bert import Bert, BertConfig
from vitral.models.gpt import GPT, GPTConfig
from vitral.models.llama import Llama, LlamaConfig
from vitral.models.modernbert import ModernBert, ModernBertConfig
from vitral.models.roberta import Roberta, RobertaConfig

TOLERANCE = 1e-5


def modern_bert(**changes: object) -> ModernBertForMaskedLM:
    """Five layers of three heads of eight; a window of three to each side."""
    marks = {f"{name}_token_id": 3 for name in ("pad", "bos", "eos", "cls", "sep")}
    config = transformers.ModernBertConfig(
        vocab_size=89,
        hidden_size=24,
        num_hidden_layers=5,
        num_attention_heads=3,
        intermediate_size=17,
        max_position_embeddings=19,
        local_attention=7,
        **marks,
        **changes,
    )
    return ModernBertForMaskedLM(config)


# Odd sizes on purpose: 3 heads of 5, 7 query heads of 6 on 1 key–value head, inner width 17.
THEIRS = {
    "gpt2": lambda: GPT2LMHeadModel(
        transformers.GPT2Config(vocab_size=101, n_positions=19, n_embd=15, n_layer=3, n_head=3)
    ),
    "gpt2-inner": lambda: GPT2LMHeadModel(
        transformers.GPT2Config(
            vocab_size=50, n_positions=16, n_embd=8, n_layer=2, n_head=1, n_inner=17
        )
    ),
    "llama-grouped": lambda: LlamaForCausalLM(
        transformers.LlamaConfig(
            vocab_size=97,
            hidden_size=48,
            intermediate_size=33,
            num_hidden_layers=3,
            num_attention_heads=6,
            num_key_value_heads=2,
            max_position_embeddings=23,
            tie_word_embeddings=True,
        )
    ),
    "llama-multi-query": lambda: LlamaForCausalLM(
        transformers.LlamaConfig(
            vocab_size=97,
            hidden_size=35,
            intermediate_size=17,
            num_hidden_layers=2,
            num_attention_heads=7,
            num_key_value_heads=1,
            head_dim=6,
            max_position_embeddings=23,
            tie_word_embeddings=False,
            attention_bias=True,
            mlp_bias=True,
            rope_parameters={"rope_type": "default", "rope_theta": 500_000.0},
        )
    ),
    "bert": lambda: BertForMaskedLM(
        transformers.BertConfig(
            vocab_size=89,
            hidden_size=21,
            num_hidden_layers=3,
            num_attention_heads=3,
            intermediate_size=31,
            max_position_embeddings=17,
        )
    ),
    "bert-pretraining": lambda: BertForPreTraining(
        transformers.BertConfig(
            vocab_size=89,
            hidden_size=21,
            num_hidden_layers=2,
            num_attention_heads=3,
            intermediate_size=31,
            max_position_embeddings=17,
        )
    ),
    "roberta": lambda: RobertaForMaskedLM(
        transformers.RobertaConfig(
            vocab_size=89,
            hidden_size=21,
            num_hidden_layers=3,
            num_attention_heads=3,
            intermediate_size=31,
            max_position_embeddings=17,
            type_vocab_size=1,
            pad_token_id=3,
            hidden_act="relu",
        )
    ),
    "albert": lambda: AlbertForMaskedLM(
        transformers.AlbertConfig(
            vocab_size=89,
            embedding_size=11,
            hidden_size=21,
            num_hidden_layers=3,
            num_attention_heads=3,
            intermediate_size=31,
            max_position_embeddings=17,
        )
    ),
    "modernbert": modern_bert,
    "modernbert-global": lambda: modern_bert(global_attn_every_n_layers=1),
    "modernbert-bases": lambda: modern_bert(
        layer_types=["full_attention", "sliding_attention"] * 2 + ["full_attention"],
        hidden_activation="silu",
        rope_parameters={
            "full_attention": {"rope_type": "default", "rope_theta": 70_000.0},
            "sliding_attention": {"rope_type": "default", "rope_theta": 300.0},
        },
    ),
}
OURS = {
    "gpt": lambda: GPT(
        GPTConfig(
            vocab_size=61,
            context=17,
            hidden_size=20,
            num_layers=2,
            num_heads=5,
            num_key_value_heads=5,
            intermediate_size=37,
        )
    ),
    "llama": lambda: Llama(
        LlamaConfig(
            vocab_size=61,
            context=17,
            hidden_size=40,
            num_layers=2,
            num_heads=4,
            num_key_value_heads=2,
            intermediate_size=37,
        )
    ),
    "bert": lambda: Bert(
        BertConfig(
            vocab_size=61,
            context=17,
            hidden_size=20,
            num_layers=2,
            num_heads=5,
            num_key_value_heads=5,
            intermediate_size=37,
        )
    ),
    "bert-next-sentence": lambda: Bert(
        BertConfig(
            vocab_size=61,
            context=17,
            hidden_size=20,
            num_layers=2,
            num_heads=5,
            num_key_value_heads=5,
            intermediate_size=37,
            next_sentence=True,
        )
    ),
    "roberta": lambda: Roberta(
        RobertaConfig(
            vocab_size=61,
            context=17,
            hidden_size=20,
            num_layers=2,
            num_heads=5,
            num_key_value_heads=5,
            intermediate_size=37,
            pad_token_id=2,
        )
    ),
    "albert": lambda: Albert(
        AlbertConfig(
            vocab_size=61,
            context=17,
            embedding_size=7,
            hidden_size=20,
            num_layers=3,
            num_heads=5,
            num_key_value_heads=5,
            intermediate_size=37,
        )
    ),
    "modernbert": lambda: ModernBert(
        ModernBertConfig(
            vocab_size=61,
            context=17,
            hidden_size=20,
            num_layers=5,
            num_heads=5,
            num_key_value_heads=5,
            intermediate_size=37,
            global_every=2,
            window=4,
            rope_base=50_000.0,
            local_rope_base=700.0,
        )
    ),
}


def shake(module: torch.nn.Module) -> None:
    """Weights large enough that a part left out would show, biases and norms included."""
    torch.manual_seed(0)
    with torch.no_grad():
        for weight in module.parameters():
            weight.add_(torch.randn_like(weight) * 0.3)


def padded_batch(vocab_size: int) -> tuple[torch.Tensor, torch.Tensor]:
    ids = torch.randint(0, vocab_size, (2, 13), generator=torch.Generator().manual_seed(1))
    attention_mask = torch.ones_like(ids)
    attention_mask[1, 9:] = 0
    return ids, attention_mask


def logits_of(theirs: PreTrainedModel, *args: torch.Tensor, **kwargs: torch.Tensor) -> torch.Tensor:
    """What it says of the tokens; a model with two heads gives that first."""
    output = theirs(*args, **kwargs)
    return output[0]


@pytest.mark.parametrize("name", THEIRS)
def test_a_folder_of_transformers_gives_the_same_logits_here(name: str, tmp_path: Path) -> None:
    theirs: PreTrainedModel = THEIRS[name]().eval()
    shake(theirs)
    theirs.save_pretrained(tmp_path)
    assert hugging_face.can_read(tmp_path)
    ours, theirs = hugging_face.read(tmp_path).double(), theirs.double()
    ids, attention_mask = padded_batch(theirs.config.vocab_size)
    if name == "roberta":  # whose positions pass over padding by its id, wherever it stands
        ids[1, 9:], ids[0, 4] = 3, 3
    with torch.no_grad():
        expected = logits_of(theirs, ids)
        torch.testing.assert_close(ours(ids), expected, atol=TOLERANCE, rtol=1e-5)
        expected = logits_of(theirs, ids, attention_mask=attention_mask)
        real = attention_mask.bool()
        padded = ours(ids, attention_mask)
        torch.testing.assert_close(padded[real], expected[real], atol=TOLERANCE, rtol=1e-5)


@pytest.mark.parametrize("name", OURS)
def test_transformers_opens_our_folder_and_gives_the_same_logits(name: str, tmp_path: Path) -> None:
    ours = OURS[name]().eval()
    shake(ours)
    hugging_face.write(ours, None, tmp_path)
    architecture = getattr(transformers, ours.config.architecture)
    theirs, report = architecture.from_pretrained(tmp_path, output_loading_info=True)
    assert not report["missing_keys"]
    assert not report["unexpected_keys"]
    ids, _ = padded_batch(ours.config.vocab_size)
    with torch.no_grad():
        expected = logits_of(theirs.eval().double(), ids)
        torch.testing.assert_close(ours.double()(ids), expected, atol=TOLERANCE, rtol=1e-5)


@pytest.mark.parametrize("name", OURS)
def test_writing_and_reading_gives_back_the_same_weights(name: str, tmp_path: Path) -> None:
    model = OURS[name]().eval()
    shake(model)
    hugging_face.write(model, None, tmp_path)
    again = hugging_face.read(tmp_path)
    assert again.config == model.config
    for (name_before, before), (name_after, after) in zip(
        model.named_parameters(), again.named_parameters(), strict=True
    ):
        assert name_before == name_after
        torch.testing.assert_close(before, after, atol=0, rtol=0)


def test_tied_weights_are_one_tensor_after_reading(tmp_path: Path) -> None:
    hugging_face.write(OURS["llama"](), None, tmp_path)
    model = hugging_face.read(tmp_path)
    assert model.head.weight is model.embed.weight


DROPOUTS = {
    "gpt": ("embd_pdrop", "attn_pdrop", "resid_pdrop"),
    "llama": ("attention_dropout",),
    "bert": ("hidden_dropout_prob", "attention_probs_dropout_prob"),
    "roberta": ("hidden_dropout_prob", "attention_probs_dropout_prob"),
    "albert": ("hidden_dropout_prob", "attention_probs_dropout_prob"),
    "modernbert": ("attention_dropout", "mlp_dropout", "embedding_dropout"),
}


@pytest.mark.parametrize("name", DROPOUTS)
def test_dropout_is_written_under_their_names(name: str, tmp_path: Path) -> None:
    ours = OURS[name]()
    ours.config.dropout = 0.25
    hugging_face.write(ours, None, tmp_path)
    theirs = transformers.AutoConfig.from_pretrained(tmp_path)
    assert [getattr(theirs, entry) for entry in DROPOUTS[name]] == [0.25] * len(DROPOUTS[name])
    assert hugging_face.read(tmp_path).config.dropout == 0.25


SEGMENTS = torch.tensor([[0] * 6 + [1] * 7, [0] * 3 + [1] * 10])


def test_next_sentence_from_transformers(tmp_path: Path) -> None:
    theirs = THEIRS["bert-pretraining"]().eval()
    shake(theirs)
    theirs.save_pretrained(tmp_path)
    ours = hugging_face.read(tmp_path)
    assert ours.config.next_sentence
    assert_second_heads_agree(ours, theirs)


def test_next_sentence_to_transformers(tmp_path: Path) -> None:
    ours = OURS["bert-next-sentence"]().eval()
    shake(ours)
    hugging_face.write(ours, None, tmp_path)
    theirs = transformers.AutoModelForPreTraining.from_pretrained(tmp_path).eval()
    assert isinstance(theirs, BertForPreTraining)
    assert_second_heads_agree(ours, theirs)


@torch.no_grad()
def assert_second_heads_agree(ours: Bert, theirs: BertForPreTraining) -> None:
    """In double precision, where rounding hides nothing."""
    ours, theirs = ours.double(), theirs.double()
    ids, attention_mask = padded_batch(ours.config.vocab_size)
    expected = theirs(ids, attention_mask=attention_mask, token_type_ids=SEGMENTS)
    x = ours.encode(ids, attention_mask, SEGMENTS)
    follows = ours.next_sentence_logits(x)
    assert follows.shape == (2, 2)
    torch.testing.assert_close(follows, expected.seq_relationship_logits, atol=1e-10, rtol=1e-10)
    real = attention_mask.bool()
    words = expected.prediction_logits[real]
    torch.testing.assert_close(ours.head(x[real]), words, atol=1e-10, rtol=1e-10)


def test_a_folder_with_a_second_head_is_read_without_it(tmp_path: Path) -> None:
    """Published BertForMaskedLM folders have one, from their pretraining."""
    theirs = THEIRS["bert-pretraining"]().eval()
    shake(theirs)
    theirs.config.architectures = ["BertForMaskedLM"]
    theirs.save_pretrained(tmp_path)
    config = tmp_path / "config.json"
    config.write_text(config.read_text().replace("BertForPreTraining", "BertForMaskedLM"))
    ours = hugging_face.read(tmp_path)
    assert not ours.config.next_sentence
    ids, _ = padded_batch(ours.config.vocab_size)
    with torch.no_grad():
        expected = theirs.double()(ids).prediction_logits
        torch.testing.assert_close(ours.double()(ids), expected, atol=TOLERANCE, rtol=1e-5)


def test_the_context_of_roberta_is_that_of_text(tmp_path: Path) -> None:
    THEIRS["roberta"]().save_pretrained(tmp_path)
    config = hugging_face.read(tmp_path).config
    assert (config.context, config.pad_token_id) == (17 - 3 - 1, 3)
    hugging_face.write(OURS["roberta"](), None, tmp_path)
    theirs = transformers.AutoConfig.from_pretrained(tmp_path)
    assert (theirs.max_position_embeddings, theirs.pad_token_id) == (17 + 2 + 1, 2)


def test_alberts_layers_are_one(tmp_path: Path) -> None:
    from safetensors.torch import load_file

    hugging_face.write(OURS["albert"](), None, tmp_path)
    names = [name for name in load_file(tmp_path / "model.safetensors") if "layer_groups" in name]
    assert len(names) == 16
    ours = hugging_face.read(tmp_path)
    assert (len(ours.layers), ours.config.num_layers) == (1, 3)


def test_groups_of_different_layers_are_left_to_transformers(tmp_path: Path) -> None:
    config = transformers.AlbertConfig(
        vocab_size=50,
        embedding_size=4,
        hidden_size=8,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=8,
        num_hidden_groups=2,
    )
    AlbertForMaskedLM(config).save_pretrained(tmp_path)
    assert not hugging_face.can_read(tmp_path)


@torch.no_grad()
def test_a_longer_context_than_the_one_trained(tmp_path: Path) -> None:
    """Rotary positions have no table: a model takes more tokens when its configuration says so,
    with the same weights; a larger base then keeps the slowest pairs from coming full circle."""
    model = OURS["llama"]().eval()
    shake(model)
    config = replace(model.config, context=100, rope_base=500_000.0)
    longer = Llama(config).eval()
    longer.load_state_dict(model.state_dict())
    hugging_face.write(longer, None, tmp_path)
    theirs = LlamaForCausalLM.from_pretrained(tmp_path).double()
    assert theirs.config.max_position_embeddings == 100
    ids = torch.randint(0, 61, (1, 100), generator=torch.Generator().manual_seed(2))
    expected = theirs(ids).logits
    torch.testing.assert_close(longer.double()(ids), expected, atol=1e-4, rtol=1e-4)
    assert not torch.allclose(model.double()(ids), expected, atol=1e-2)
    assert hugging_face.read(tmp_path).config == config


def test_older_readers_find_the_base_of_rotary_positions(tmp_path: Path) -> None:
    """transformers 4 knows no `rope_parameters` and takes 10,000 where nothing else is said."""
    for name, base in ("llama", "rope_theta"), ("modernbert", "global_rope_theta"):
        model = OURS[name]()
        model.config.rope_base = 123_456.0
        hugging_face.write(model, None, tmp_path / name)
        path = tmp_path / name / "config.json"
        entries = json.loads(path.read_text(encoding="utf-8"))
        assert entries[base] == 123_456.0
        rope = entries.pop("rope_parameters")
        assert rope.get("full_attention", rope)["rope_theta"] == 123_456.0
        path.write_text(json.dumps(entries), encoding="utf-8")  # as transformers 4 wrote it
        assert hugging_face.read(tmp_path / name).config == model.config


def test_other_rotary_positions_are_left_to_transformers(tmp_path: Path) -> None:
    for name, change in {
        "llama": {"rope_parameters": {"rope_type": "linear", "factor": 2.0, "rope_theta": 1e4}},
        "modernbert": {"layer_types": ["sliding_attention"] * 5},
    }.items():
        hugging_face.write(OURS[name](), None, tmp_path)
        path = tmp_path / "config.json"
        assert hugging_face.can_read(tmp_path)
        entries = json.loads(path.read_text(encoding="utf-8")) | change
        path.write_text(json.dumps(entries), encoding="utf-8")
        assert not hugging_face.can_read(tmp_path)


def test_modernberts_layers_alternate_as_the_folder_says(tmp_path: Path) -> None:
    hugging_face.write(OURS["modernbert"](), None, tmp_path)
    path = tmp_path / "config.json"
    entries = json.loads(path.read_text(encoding="utf-8"))
    assert entries["layer_types"] == ["full_attention", "sliding_attention"] * 2 + [
        "full_attention"
    ]
    periods = {}
    for said in (1, 2, 3, None):
        del entries["layer_types"], entries["global_attn_every_n_layers"]
        if said is not None:
            entries["global_attn_every_n_layers"] = said
        path.write_text(json.dumps(entries), encoding="utf-8")
        ours = hugging_face.read(tmp_path)
        periods[said] = ours.config.global_every
        theirs = transformers.AutoConfig.from_pretrained(tmp_path)
        is_global = [kind == "full_attention" for kind in theirs.layer_types]
        assert [ours.config.is_global(layer) for layer in range(5)] == is_global
        entries |= {"layer_types": None, "global_attn_every_n_layers": None}
    assert periods == {1: 1, 2: 2, 3: 3, None: 3}
