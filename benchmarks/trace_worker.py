"""One way of looking into a model, in a process of its own; `trace.py` starts it.

    python benchmarks/trace_worker.py vitral 4096

Makes a GPT-2 small with random weights, says so in a line, and then for each line "run" that it
reads runs one forward pass over that many tokens and writes what it took, as JSON: `seconds`,
the processor's seconds, and the most memory that the process has ever had (VmHWM).
"""

import argparse
import gc
import json
import logging
import os
import sys
import time
import warnings
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

METHODS = ("plain", "vitral", "eager", "transformer_lens")
KEPT_BY_LENS = (
    "hook_q",
    "hook_k",
    "hook_v",
    "hook_pattern",
    "hook_resid_pre",
    "hook_resid_mid",
    "hook_resid_post",
    "hook_attn_out",
    "hook_mlp_out",
)
"""What Vitral keeps too. Scores and the insides of the feed-forward parts are left out."""


def model(num_tokens: int, attention: str) -> Any:
    """GPT-2 small with random weights, its table of positions made long enough."""
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    config = GPT2Config(n_positions=max(1024, num_tokens), attn_implementation=attention)
    return GPT2LMHeadModel(config).eval()


def plain(num_tokens: int) -> tuple[str, Callable[[Any], Any]]:
    """The forward pass by itself, by PyTorch's fused attention; nothing is kept."""
    module = model(num_tokens, "sdpa")
    return version("transformers"), lambda ids: module(ids, use_cache=False)


def eager(num_tokens: int) -> tuple[str, Callable[[Any], Any]]:
    """What BertViz and most notebooks do: every pattern, from transformers itself."""
    module = model(num_tokens, "eager")
    return version("transformers"), lambda ids: module(ids, use_cache=False, output_attentions=True)


def vitral(num_tokens: int) -> tuple[str, Callable[[Any], Any]]:
    """A trace as people take it: all values, row statistics and pooled maps of all heads."""
    import vitral as ours

    opened = ours.load(model(num_tokens, "sdpa"))
    return ours.__version__, lambda ids: opened.trace(ids=ids[0].tolist())


def transformer_lens(num_tokens: int) -> tuple[str, Callable[[Any], Any]]:
    """TransformerLens with a cache of what Vitral keeps too, patterns written down."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from transformer_lens.model_bridge import TransformerBridge
    from transformers import PreTrainedTokenizerFast

    words = WordLevel({"a": 0, "b": 1}, unk_token="a")
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer(words), bos_token="b", eos_token="b", pad_token="b"
    )
    tokenizer.init_kwargs |= {"name_or_path": "none", "add_bos_token": True}  # read, not fetched
    bridge = TransformerBridge.boot_transformers(
        "gpt2", hf_model=model(num_tokens, "eager"), tokenizer=tokenizer, device="cpu"
    )

    def run(ids: Any) -> Any:
        return bridge.run_with_cache(
            ids, names_filter=lambda name: name.endswith(KEPT_BY_LENS), return_type="logits"
        )

    return version("transformer-lens"), run


def peak_memory() -> int:
    """The most memory, in bytes, that this process has had resident."""
    with open("/proc/self/status", encoding="ascii") as file:
        line = next(line for line in file if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("method", choices=METHODS)
    parser.add_argument("num_tokens", type=int)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    answers, sys.stdout = sys.stdout, sys.stderr  # libraries may print what they like
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    import torch

    torch.set_num_threads(arguments.threads)
    used_version, run = globals()[arguments.method](arguments.num_tokens)
    ids = torch.randint(50257, (1, arguments.num_tokens))
    before = peak_memory()
    print(json.dumps({"version": used_version, "loaded_bytes": before}), file=answers, flush=True)
    for line in sys.stdin:
        if line.strip() != "run":
            break
        started, used = time.perf_counter(), time.process_time()
        with torch.no_grad():
            kept = run(ids)
        took = {"seconds": time.perf_counter() - started, "cpu": time.process_time() - used}
        took["peak_bytes"] = peak_memory()
        assert kept is not None
        del kept
        gc.collect()
        print(json.dumps(took), file=answers, flush=True)


if __name__ == "__main__":
    main()
