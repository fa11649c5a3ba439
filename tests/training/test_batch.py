import torch
from hypothesis import given
from hypothesis import strategies as st

from vitral.training.objectives.batch import IGNORED, Batch


def batch(rows: int, length: int = 3) -> Batch:
    ids = torch.arange(rows * length).reshape(rows, length)
    return Batch({"ids": ids, "weight": torch.arange(rows)}, ids + 1)


@given(rows=st.integers(1, 60), number=st.integers(1, 60))
def test_parts_are_all_rows_once_in_parts_of_nearly_one_size(rows: int, number: int) -> None:
    whole = batch(rows)
    parts = list(whole.parts(number))
    sizes = [part.num_rows for part in parts]
    assert len(parts) == min(rows, number)
    assert min(sizes) >= 1
    assert max(sizes) - min(sizes) <= 1
    for name in whole.inputs:
        assert torch.equal(torch.cat([part.inputs[name] for part in parts]), whole.inputs[name])
    assert torch.equal(torch.cat([part.targets for part in parts]), whole.targets)


def test_only_targets_that_are_asked_count() -> None:
    whole = batch(2)
    whole.targets[0, 1] = whole.targets[1, 2] = IGNORED
    assert whole.num_asked == 4
    assert sum(part.num_asked for part in whole.parts(2)) == 4


def test_only_ids_are_tokens() -> None:
    ids = torch.ones(2, 3, dtype=torch.long)
    read = {"ids": ids, "decoder_ids": ids[:, :2], "attention_mask": ids}
    assert Batch(read, ids[:, :2]).num_tokens == 10


def test_rows_keep_every_input_together() -> None:
    part = batch(5).rows(1, 3)
    assert part.inputs["weight"].tolist() == [1, 2]
    assert part.targets.tolist() == [[4, 5, 6], [7, 8, 9]]
