import math

import pytest
import torch
from tokenizers import pre_tokenizers, processors

from vitral.errors import VitralError
from vitral.models.bert import Bert, BertConfig
from vitral.models.llama import Llama, LlamaConfig
from vitral.text.tokenizers import train_byte_level_bpe, train_wordpiece
from vitral.training.evaluation import bits_per_byte, masked_loss_of, next_token_loss_of, ratio

TEXT = "El perro ladra y el gato duerme en la casa de la niña. " * 12
SHAPE = {
    "context": 16,
    "hidden_size": 16,
    "num_layers": 2,
    "num_heads": 2,
    "num_key_value_heads": 2,
    "intermediate_size": 24,
}


@pytest.fixture(scope="module")
def bpe():
    return train_byte_level_bpe([TEXT], 300)


def llama(bpe, scale: float) -> Llama:
    torch.manual_seed(0)
    model = Llama(LlamaConfig(vocab_size=bpe.get_vocab_size(), **SHAPE)).eval()
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(scale)
    return model


@pytest.mark.parametrize("length", [1, 10, 100, len(TEXT)])
def test_a_model_that_knows_nothing_pays_the_same_for_every_token_once(bpe, length) -> None:
    text = TEXT[:length]
    num_tokens = len(bpe.encode(text, add_special_tokens=False).ids)
    expected = math.log2(bpe.get_vocab_size()) * num_tokens / len(text.encode())
    assert bits_per_byte(llama(bpe, 0.0), bpe, [text]) == pytest.approx(expected, rel=1e-5)


def test_bits_per_byte_is_the_sum_written_out(bpe) -> None:
    model, context = llama(bpe, 1.0), 16
    ids = torch.tensor(bpe.encode(TEXT).ids)
    nats = 0.0
    with torch.no_grad():
        for t in range(1, len(ids)):
            # The window that predicts token t: the first, or the one whose second half has it.
            start = 0 if t < context else (t - context // 2) // (context // 2) * (context // 2)
            logits = model(ids[None, start:t])[0, -1]
            nats -= float(logits.log_softmax(-1)[ids[t]])
    expected = nats / math.log(2) / len(TEXT.encode())
    assert bits_per_byte(model, bpe, [TEXT]) == pytest.approx(expected, rel=1e-4)


def test_masked_accuracy_counts_the_asked_tokens_only() -> None:
    wordpiece = train_wordpiece([TEXT], 60)
    torch.manual_seed(0)
    model = Bert(BertConfig(vocab_size=wordpiece.get_vocab_size(), **SHAPE)).eval()
    favourite = wordpiece.token_to_id("la")
    with torch.no_grad():
        model.head.decoder.bias[favourite] = 1000.0  # whatever is asked, it says "la"
    found = masked_loss_of(model, wordpiece, [TEXT], share=0.5)
    ids = wordpiece.encode(TEXT, add_special_tokens=False).ids
    expected = ids.count(favourite) / len(ids)
    assert abs(found.accuracy - expected) < 0.06
    assert 0 < found.accuracy_error < 0.06
    assert 0.4 < found.num_masked / len(ids) < 0.6
    assert found.nats > 100


def test_padding_changes_no_masked_loss() -> None:
    """The last window of a text is shorter; alone in its batch it is not padded."""
    wordpiece = train_wordpiece([TEXT], 60)
    torch.manual_seed(0)
    model = Bert(BertConfig(vocab_size=wordpiece.get_vocab_size(), **SHAPE)).eval()
    together = masked_loss_of(model, wordpiece, [TEXT], share=0.5, batch=64)
    apart = masked_loss_of(model, wordpiece, [TEXT], share=0.5, batch=1)
    # Masks are drawn batch by batch, so that the two differ by chance only.
    assert abs(together.nats - apart.nats) < 4 * together.standard_error


def test_the_units_are_those_of_one_loss(bpe) -> None:
    found = next_token_loss_of(llama(bpe, 1.0), bpe, [TEXT])
    assert found.num_words == 12 * 13
    assert found.num_bytes == len(TEXT.encode())
    assert found.num_tokens == len(bpe.encode(TEXT, add_special_tokens=False).ids)
    total = found.nats * found.num_tokens
    assert found.perplexity == pytest.approx(math.exp(found.nats))
    assert found.perplexity_per_word == pytest.approx(math.exp(total / found.num_words))
    assert found.bits_per_byte == pytest.approx(total / math.log(2) / found.num_bytes)
    assert 0 < found.standard_error < 0.2 * found.nats


def test_the_standard_error_is_that_of_repeated_draws() -> None:
    generator = torch.Generator().manual_seed(0)
    means, errors = [], []
    for _ in range(400):
        counts = torch.randint(5, 15, (30,), generator=generator)
        level = 3 + torch.randn(30, generator=generator)  # a window's tokens share it
        mean, error = ratio((level * counts).tolist(), counts.tolist())
        means.append(mean)
        errors.append(error)
    spread = torch.tensor(means).std()
    assert torch.tensor(errors).mean() == pytest.approx(float(spread), rel=0.1)


def without_marks(text: str):
    """Byte-level BPE that puts nothing before a text, as GPT-2's does."""
    plain = train_byte_level_bpe([text], 300)
    plain.post_processor = processors.Sequence([])
    return plain


SHORT = ["El perro", "ñandú", "La niña ríe.", "gato", "a"]


def test_what_is_not_predicted_counts_as_no_text() -> None:
    """Without a mark before it, a text's first token has no loss; its bytes do not count either."""
    plain = without_marks(TEXT)
    model = llama(plain, 0.0)
    texts = SHORT * 40
    num_tokens = num_bytes = 0
    for text in texts:
        encoding = plain.encode(text)
        rest = len(text.encode()) - len(raw_bytes_of(plain, encoding.ids[0]))
        num_tokens, num_bytes = num_tokens + len(encoding.ids) - 1, num_bytes + rest
    found = next_token_loss_of(model, plain, texts)
    assert (found.num_tokens, found.num_bytes) == (num_tokens, num_bytes)
    expected = math.log2(plain.get_vocab_size()) * num_tokens / num_bytes
    assert found.bits_per_byte == pytest.approx(expected, rel=1e-6)
    with_all = math.log2(plain.get_vocab_size()) * num_tokens / sum(len(t.encode()) for t in texts)
    assert found.bits_per_byte > 1.1 * with_all, "what it was, too low by the first tokens"


def raw_bytes_of(tokenizer, number: int) -> bytes:
    names = pre_tokenizers.ByteLevel(add_prefix_space=False)
    table = {names.pre_tokenize_str(chr(b))[0][0]: b for b in range(128)}
    token = tokenizer.id_to_token(number)
    return bytes(table.get(letter, 0) for letter in token)


def test_words_that_are_not_predicted_do_not_count() -> None:
    plain = without_marks(TEXT)
    found = next_token_loss_of(llama(plain, 1.0), plain, ["El perro ladra"] * 3)
    first = plain.decode(plain.encode("El perro ladra").ids[:1])
    assert first == "El"
    assert found.num_words == 2 * 3


def test_marks_before_a_text_are_no_text_to_predict() -> None:
    bpe = train_byte_level_bpe([TEXT], 300)
    twice = train_byte_level_bpe([TEXT], 300)
    twice.post_processor = processors.TemplateProcessing(
        single="<s> <s> $A", special_tokens=[("<s>", 0)]
    )
    one, two = (next_token_loss_of(llama(bpe, 0.0), each, ["El perro"]) for each in (bpe, twice))
    assert one.bits_per_byte == two.bits_per_byte


def test_many_short_texts_are_each_as_if_alone(bpe) -> None:
    model = llama(bpe, 1.0)
    together = next_token_loss_of(model, bpe, SHORT * 7)
    alone = [next_token_loss_of(model, bpe, [text]) for text in SHORT * 7]
    nats = sum(each.nats * each.num_tokens for each in alone)
    assert together.num_tokens == sum(each.num_tokens for each in alone)
    assert together.nats == pytest.approx(nats / together.num_tokens, rel=1e-6)


def test_truncation_saved_with_a_tokenizer_cuts_no_evaluation() -> None:
    wordpiece = train_wordpiece([TEXT], 60)
    torch.manual_seed(0)
    model = Bert(BertConfig(vocab_size=wordpiece.get_vocab_size(), **SHAPE)).eval()
    whole = masked_loss_of(model, wordpiece, [TEXT], share=0.5)
    wordpiece.enable_truncation(6)
    wordpiece.enable_padding(length=40)
    assert masked_loss_of(model, wordpiece, [TEXT], share=0.5) == whole
    assert wordpiece.truncation is not None, "the given one is left as it was"


def test_names_of_marks_in_a_text_are_text(bpe) -> None:
    """A page of HTML that strikes words out does not begin anew at each."""
    text = "El <s>perro</s> ladra"
    found = next_token_loss_of(llama(bpe, 0.0), bpe, [text])
    pieces = bpe.encode(text.replace("<s>", "\x00"), add_special_tokens=False).ids
    assert found.num_tokens == len(pieces) - 1 + 3, "<, s and > instead of one mark"


@pytest.mark.parametrize("form", ["decoder", "encoder"])
def test_tokens_beyond_the_vocabulary_are_refused_by_number(bpe, form) -> None:
    if form == "decoder":
        tokenizer, model = train_byte_level_bpe([TEXT], 300), llama(bpe, 1.0)
        measure = next_token_loss_of
    else:
        tokenizer = train_wordpiece([TEXT], 60)
        model = Bert(BertConfig(vocab_size=60, **SHAPE)).eval()
        measure = masked_loss_of
    tokenizer.add_tokens(["perro"])
    with pytest.raises(VitralError) as raised:
        measure(model, tokenizer, [TEXT])
    assert raised.value.key == "id_out_of_range"
    assert raised.value.values["id"] == tokenizer.token_to_id("perro")
