import torch

from vitral.nn.masks import attention_mask

CPU = torch.device("cpu")


def test_no_mask_is_built_where_the_plain_rule_holds() -> None:
    assert attention_mask(None, 5, 5, causal=True, device=CPU) is None
    assert attention_mask(None, 5, 5, causal=False, device=CPU) is None
    assert attention_mask(None, 1, 9, causal=True, device=CPU) is None
    assert attention_mask(torch.ones(2, 5), 5, 5, causal=False, device=CPU) is None


def test_new_tokens_see_the_cached_ones_and_themselves() -> None:
    mask = attention_mask(None, 2, 4, causal=True, device=CPU)
    assert mask[0, 0].int().tolist() == [[1, 1, 1, 0], [1, 1, 1, 1]]


def test_padding_is_never_looked_at_except_by_those_who_would_see_nothing() -> None:
    mask = attention_mask(torch.tensor([[0, 1, 1], [1, 1, 0]]), 3, 3, causal=True, device=CPU)
    assert mask[0, 0].int().tolist() == [[1, 1, 1], [0, 1, 0], [0, 1, 1]]
    assert mask[1, 0].int().tolist() == [[1, 0, 0], [1, 1, 0], [1, 1, 0]]


def test_a_window_hides_what_is_farther_away() -> None:
    mask = attention_mask(None, 4, 4, causal=False, device=CPU, window=1)
    assert mask[0, 0].int().tolist() == [[1, 1, 0, 0], [1, 1, 1, 0], [0, 1, 1, 1], [0, 0, 1, 1]]
    mask = attention_mask(None, 2, 5, causal=True, device=CPU, window=2)
    assert mask[0, 0].int().tolist() == [[0, 1, 1, 1, 0], [0, 0, 1, 1, 1]]
    padded = attention_mask(torch.tensor([[1, 1, 1, 0]]), 4, 4, causal=False, device=CPU, window=1)
    assert padded[0, 0].int().tolist() == [[1, 1, 0, 0], [1, 1, 1, 0], [0, 1, 1, 0], [0, 0, 1, 0]]
    assert attention_mask(None, 4, 4, causal=False, device=CPU, window=3) is None


def test_documents_in_one_row_see_only_themselves() -> None:
    documents = torch.tensor([[4, 4, 9], [4, 4, 4]])
    mask = attention_mask(None, 3, 3, causal=True, device=CPU, documents_BS=documents)
    assert mask[0, 0].int().tolist() == [[1, 0, 0], [1, 1, 0], [0, 0, 1]]
    assert mask[1, 0].int().tolist() == [[1, 0, 0], [1, 1, 0], [1, 1, 1]]
    mask = attention_mask(None, 1, 3, causal=True, device=CPU, documents_BS=documents)
    assert mask[:, 0].int().tolist() == [[[0, 0, 1]], [[1, 1, 1]]]
