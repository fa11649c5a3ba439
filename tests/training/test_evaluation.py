import math

import pytest
import torch

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
