"""Writing a safetensors file one tensor at a time.

The library's own writer needs all tensors in memory at once; a trace can be larger than memory,
most of it already in a file. The format (https://huggingface.co/docs/safetensors): eight
bytes with the header's length, the header as JSON, and the tensors end to end.
"""

import json
import struct
from collections.abc import Mapping
from typing import IO

import torch
from torch import Tensor

_NAMES = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}


def write_tensors(file: IO[bytes], tensors: Mapping[str, Tensor], metadata: dict[str, str]) -> None:
    """Write tensors, by name, and the metadata; any safetensors reader opens the result."""
    # The widest numbers first, so that each tensor starts at a multiple of its numbers' size.
    names = sorted(tensors, key=lambda name: (-tensors[name].element_size(), name))
    header: dict[str, object] = {"__metadata__": metadata}
    end = 0
    for name in names:
        tensor = tensors[name]
        start, end = end, end + tensor.numel() * tensor.element_size()
        header[name] = {
            "dtype": _NAMES[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [start, end],
        }
    content = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    content += b" " * (-len(content) % 8)
    file.write(struct.pack("<Q", len(content)))
    file.write(content)
    for name in names:
        flat = tensors[name].detach().cpu().contiguous().view(-1)
        file.write(flat.view(torch.uint8).numpy().data)
