"""A checkpoint that many processes wrote, put together in one."""

import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.distributed.checkpoint.hf_storage import HuggingFaceStorageReader
from torch.distributed.checkpoint.metadata import TensorStorageMetadata
from torch.distributed.checkpoint.state_dict_loader import load


def read_whole(folder: Path) -> dict[str, Tensor]:
    """All tensors of the checkpoint in `folder`, put together, in this process alone."""
    tensors = {
        name: torch.empty(found.size, dtype=found.properties.dtype)
        for name, found in contents(folder).items()
    }
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "torch.distributed is disabled")  # it is meant
        load(tensors, storage_reader=HuggingFaceStorageReader(str(folder)), no_dist=True)
    return tensors


def contents(folder: Path) -> dict[str, TensorStorageMetadata]:
    """What tensors a checkpoint has: their shapes and types."""
    found: Any = HuggingFaceStorageReader(str(folder)).read_metadata().state_dict_metadata
    described: dict[str, TensorStorageMetadata] = found
    return described
