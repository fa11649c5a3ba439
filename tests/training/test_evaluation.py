import math

import pytest
import torch

from vitral.models.bert import Bert, BertConfig
from vitral.models.llama import Llama, LlamaConfig
from vitral.text.tokenizers import train_byte_level_bpe, train_wordpiece
from vitral.training.evaluation import bits_per_byte, masked_accuracy

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
    accuracy, loss, asked = masked_accuracy(model, wordpiece, [TEXT], share=0.5)
    ids = wordpiece.encode(TEXT, add_special_tokens=False).ids
    assert abs(accuracy - ids.count(favourite) / len(ids)) < 0.06
    assert 0.4 < asked / len(ids) < 0.6
    assert loss > 100
