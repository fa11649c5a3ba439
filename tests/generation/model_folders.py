"""Folders of small models, as others publish them, and what transformers writes with them."""

import json
from pathlib import Path
from typing import Any

import torch

from generation.small_decoders import lively
from vitral.models.hugging_face import write
from vitral.models.llama import Llama, LlamaConfig
from vitral.text.tokenizers import train_tokenizer

PROMPTS = ["El perro", "¿Quién llamó?", "abab abab"]


def llama_folder(folder: Path, **generation: Any) -> Path:
    """A lively Llama that reads bytes, whose `generation_config.json` says `generation`."""
    config = LlamaConfig(
        vocab_size=257,
        context=96,
        hidden_size=24,
        num_layers=2,
        num_heads=4,
        num_key_value_heads=2,
        intermediate_size=30,
    )
    write(lively(Llama(config)), train_tokenizer([], "byte", 257), folder)
    if generation:
        change(folder / "generation_config.json", **generation)
    return folder


def change(path: Path, **entries: Any) -> None:
    """Put entries into a JSON file; those that are None are taken out."""
    before = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    after = {name: value for name, value in (before | entries).items() if value is not None}
    path.write_text(json.dumps(after), encoding="utf-8")


def theirs(folder: Path, text: str, max_new_tokens: int = 24, **options: Any) -> list[int]:
    """The ids that transformers' own greedy `generate` writes after `text`."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    read = AutoTokenizer.from_pretrained(folder)(text, return_tensors="pt")
    read.pop("token_type_ids", None)
    named = {"do_sample": False, "num_beams": 1} | options
    written = model.generate(**read, max_new_tokens=max_new_tokens, **named)
    return written[0, read["input_ids"].shape[1] :].tolist()
