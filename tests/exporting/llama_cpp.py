"""llama.cpp on a GGUF file, as a test asks it: what it writes, and with which probabilities."""

import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest


class LlamaCpp:
    """A running llama.cpp."""

    def __init__(self, address: str) -> None:
        self._address = address

    def tokens(self, text: str) -> list[int]:
        """The ids of a text, with what stands around it."""
        return self._ask("/tokenize", content=text, add_special=True, parse_special=False)["tokens"]

    def write(self, text: str, num_tokens: int) -> tuple[str, list[int]]:
        """What it writes greedily after `text`: the text, and its ids."""
        found = self._ask(
            "/completion", prompt=text, n_predict=num_tokens, temperature=0, return_tokens=True
        )
        return found["content"], found["tokens"]

    def most_likely(self, text: str) -> list[tuple[int, float]]:
        """The five most likely ids after `text` with their log-probabilities; none if the first
        is half a character, of which it says nothing."""
        found = self._ask("/completion", prompt=text, n_predict=1, temperature=0, n_probs=5)
        steps = found.get("completion_probabilities", [])[:1]
        return [(each["id"], each["logprob"]) for step in steps for each in step["top_logprobs"]]

    def chat(self, messages: list[dict[str, str]]) -> str:
        """The text that a conversation becomes."""
        return self._ask("/apply-template", messages=messages)["prompt"]

    def _ask(self, path: str, **body: Any) -> Any:
        request = urllib.request.Request(
            self._address + path, json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)


@contextmanager
def llama_cpp(path: Path, context: int = 128) -> Iterator[LlamaCpp]:
    """llama.cpp with a model; the test is skipped where xllamacpp has no build."""
    xllamacpp = pytest.importorskip("xllamacpp", reason="llama.cpp is not built for this machine")
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(path)
    parameters.n_ctx = context
    exact = xllamacpp.ggml_type.GGML_TYPE_F32  # of the keys and values that it keeps
    parameters.cache_type_k = parameters.cache_type_v = exact
    parameters.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
    parameters.n_parallel = 1
    parameters.cpuparams.n_threads = 1
    parameters.cpuparams_batch.n_threads = 1
    parameters.warmup = False
    parameters.verbosity = 0
    server = xllamacpp.Server(parameters)
    try:
        yield LlamaCpp(server.listening_address)
    finally:
        del server
