"""BertViz's model view of one text, written to a file: a process of its own, so that its memory
can be read and is given back.

    python benchmarks/bertviz_page.py MODEL_FOLDER TEXT_FILE PAGE_FILE

Attention is transformers' own eager attention, the way BertViz's manual says. Prints one line of
JSON: seconds of the forward pass, of `model_view(...)` and of writing the file, its bytes, the
process's peak memory, and how far that attention is from what Vitral's trace gives for the text.
"""

import argparse
import json
import resource
import time
from contextlib import suppress
from pathlib import Path

FIRST_TO_GO = "900"  # should memory run out, this process goes before any other on the machine


def measure(folder: Path, text: str, page: Path) -> dict[str, float]:
    import torch
    from bertviz import model_view
    from tokenizers import Tokenizer
    from transformers import BertForMaskedLM

    import vitral

    encoding = Tokenizer.from_file(str(folder / "tokenizer.json")).encode(text)
    model = BertForMaskedLM.from_pretrained(folder, attn_implementation="eager").eval()
    with torch.inference_mode():
        started = time.perf_counter()
        attentions = model(torch.tensor([encoding.ids]), output_attentions=True).attentions
        forward = time.perf_counter() - started
    trace = vitral.load(str(folder)).trace(text)
    difference = max(
        float((trace[f"layers.{layer}.attention.pattern"] - attention[0]).abs().max())
        for layer, attention in enumerate(attentions)
    )
    del model, trace

    started = time.perf_counter()
    html = model_view(attentions, encoding.tokens, html_action="return")
    generated = time.perf_counter()
    page.write_text(html.data, encoding="utf-8")
    written = time.perf_counter()
    return {
        "forward_s": forward,
        "generate_s": generated - started,
        "write_s": written - generated,
        "bytes": page.stat().st_size,
        "peak_memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "largest_difference": difference,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("text", type=Path)
    parser.add_argument("page", type=Path)
    arguments = parser.parse_args()
    with suppress(OSError):  # Linux only
        Path("/proc/self/oom_score_adj").write_text(FIRST_TO_GO)
    text = arguments.text.read_text(encoding="utf-8")
    print(json.dumps(measure(arguments.folder, text, arguments.page)))


if __name__ == "__main__":
    main()
