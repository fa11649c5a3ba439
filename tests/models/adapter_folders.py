"""Small adapters as PEFT saves them, and what the model computes with each."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from generation.model_folders import llama_folder
from vitral.models.load import quiet_transformers

IDS = [[0, 70, 80, 90, 100, 110, 120]]


def base_of(folder: Path) -> Path:
    """The folder of a small Llama, made once."""
    return folder if (folder / "config.json").is_file() else llama_folder(folder)


def save_adapter(folder: Path, base: Path, config: Any, **named: Any) -> Tensor:
    """Save an adapter with lively weights into `folder`; the logits [1, T, V] that PEFT computes
    with it beside the base, unmerged."""
    import peft
    from transformers import AutoModelForCausalLM

    with quiet_transformers():
        model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
        adapted = peft.get_peft_model(model, config).eval()
    torch.manual_seed(1)
    with torch.no_grad():
        for path, weight in adapted.named_parameters():
            if weight.requires_grad:
                spread(path, weight)
        logits = adapted(torch.tensor(IDS), **named).logits
    adapted.save_pretrained(folder)
    return logits.detach()


def spread(path: str, weight: nn.Parameter) -> None:
    """Numbers that change something, around 1 where they multiply."""
    weight.add_(torch.randn_like(weight) * (0.05 if "ia3" in path else 0.1))
