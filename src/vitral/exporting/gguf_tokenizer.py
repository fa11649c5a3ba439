"""A tokenizer as a GGUF file holds it: byte-level byte-pair encoding, and how words are cut.

llama.cpp does not read a tokenizer.json. Its file holds the tokens, the merges and the *name* of
one of the expressions that it has for cutting a text into words. A tokenizer that does anything
else (another model than byte-pair encoding on bytes, another expression, lower case) cannot be
held, and Vitral says what it is.

NFC is the exception: llama.cpp does not compose characters ("n" and a tilde stay two), which makes
a difference only for text that is typed in the other form; `notes` says so.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from tokenizers import Tokenizer

from vitral.errors import VitralError

_LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_QWEN2 = _LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
_QWEN35 = _QWEN2.replace(r"?\p{L}+", r"?[\p{L}\p{M}]+").replace(
    r"[^\s\p{L}\p{N}]", r"[^\s\p{L}\p{M}\p{N}]"
)
_GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"

PRE_TOKENIZERS = {
    _GPT2: ("gpt-2", None),
    _LLAMA3: ("smaug-bpe", "llama-bpe"),
    _QWEN2: ("qwen2", None),
    _QWEN35: ("qwen35", None),
}
"""llama.cpp's name for each expression: for a tokenizer that always goes through its merges, and
for one that takes a word which is in the vocabulary as it is (`ignore_merges`)."""

NORMAL, CONTROL, USER_DEFINED, UNUSED = 1, 3, 4, 5
"""llama.cpp's types of tokens (`llama_token_type`)."""


@dataclass(frozen=True)
class GGUFTokenizer:
    """`tokens` and their `types`, by id; `merges` as "a b"; `pre` is llama.cpp's name of the
    expression. `first` and `last` are the ids put around every text, None for none."""

    tokens: list[str]
    types: list[int]
    merges: list[str]
    pre: str
    first: int | None
    last: int | None
    notes: list[str] = field(default_factory=list)


def gguf_tokenizer(tokenizer: Any, num_tokens: int, model: str) -> GGUFTokenizer:
    """A tokenizer of `tokenizers` or of transformers for a model with `num_tokens` token vectors.

    Raises VitralError `tokenizer_missing`, or `gguf_tokenizer` with what GGUF cannot hold.
    """
    if tokenizer is None:
        raise VitralError("tokenizer_missing", model=model)
    backend: Tokenizer = getattr(tokenizer, "backend_tokenizer", tokenizer)
    if not hasattr(backend, "to_str"):
        raise VitralError("gguf_tokenizer", model=model, what=type(tokenizer).__name__)
    parts = json.loads(backend.to_str())
    wrong = _not_byte_level(parts) or _other_marks(parts)
    pre = _pre_tokenizer(parts)
    if wrong is None and pre is None:
        wrong = "pre_tokenizer: " + _short(parts["pre_tokenizer"])
    size = max(backend.get_vocab().values(), default=-1) + 1
    if wrong is None and size > num_tokens:
        wrong = f"{size} tokens, {num_tokens} token vectors"
    if wrong is not None or pre is None:
        raise VitralError("gguf_tokenizer", model=model, what=wrong)
    first, last = _around(backend, model)
    tokens, types = _tokens(backend, parts, num_tokens)
    merges = [
        each if isinstance(each, str) else " ".join(each) for each in parts["model"]["merges"]
    ]
    notes = ["gguf_nfc"] if parts["normalizer"] is not None else []
    return GGUFTokenizer(tokens, types, merges, pre, first, last, notes)


def _not_byte_level(parts: dict[str, Any]) -> str | None:
    """What in a tokenizer is not byte-level byte-pair encoding of the text as it is."""
    model = parts["model"]
    if model["type"] != "BPE":
        return f"model: {model['type']}"
    for name in ("byte_fallback", "continuing_subword_prefix", "end_of_word_suffix", "dropout"):
        if model.get(name):
            return f"model.{name}: {model[name]!r}"
    normalizer = parts["normalizer"]
    if normalizer is not None and normalizer != {"type": "NFC"}:
        return "normalizer: " + _short(normalizer)
    decoder = parts["decoder"] or {}
    return None if decoder.get("type") == "ByteLevel" else "decoder: " + _short(decoder)


def _other_marks(parts: dict[str, Any]) -> str | None:
    """An added token that is found in a text, but not simply wherever it stands."""
    for token in parts["added_tokens"]:
        odd = [name for name in ("lstrip", "rstrip", "single_word") if token[name]]
        if odd and not token["special"]:
            return f"{token['content']!r}: {odd[0]}"
    return None


def _pre_tokenizer(parts: dict[str, Any]) -> str | None:
    """llama.cpp's name for how a text is cut into words; None if it has none."""
    step = parts["pre_tokenizer"] or {}
    steps = step.get("pretokenizers", [step])
    if steps[-1].get("type") != "ByteLevel" or steps[-1]["add_prefix_space"]:
        return None
    before, use_regex = steps[:-1], steps[-1]["use_regex"]
    ignores = bool(parts["model"].get("ignore_merges"))
    if use_regex and before == [{"type": "Digits", "individual_digits": True}]:
        return None if ignores else "smollm"
    if use_regex and not before:
        pattern = _GPT2
    elif not use_regex and len(before) == 1 and before[0].get("type") == "Split":
        split = before[0]
        if split["behavior"] != "Isolated" or split["invert"]:
            return None
        pattern = split["pattern"].get("Regex", "")
    else:
        return None
    return PRE_TOKENIZERS.get(pattern, (None, None))[ignores]


def _around(backend: Tokenizer, model: str) -> tuple[int | None, int | None]:
    """The ids before and after every text. Raises `gguf_tokenizer` for more than one of each."""
    bare = backend.encode("a", add_special_tokens=False).ids
    whole = backend.encode("a").ids
    places = [at for at in range(len(whole)) if whole[at : at + len(bare)] == bare]
    before, after = whole[: places[0]], whole[places[0] + len(bare) :]
    if len(before) > 1 or len(after) > 1:
        raise VitralError("gguf_tokenizer", model=model, what=f"post_processor: {whole}")
    return next(iter(before), None), next(iter(after), None)


def _tokens(
    backend: Tokenizer, parts: dict[str, Any], num_tokens: int
) -> tuple[list[str], list[int]]:
    """The tokens by id and their types; ids that stand for none are unused."""
    added = {token["id"]: token for token in parts["added_tokens"]}
    tokens, types = [], []
    for number in range(num_tokens):
        text = backend.id_to_token(number)
        tokens.append(f"[PAD{number}]" if text is None else text)
        if text is None:
            types.append(UNUSED)
        elif number in added:
            types.append(CONTROL if added[number]["special"] else USER_DEFINED)
        else:
            types.append(NORMAL)
    return tokens, types


def _short(part: Any) -> str:
    return json.dumps(part, ensure_ascii=False)[:120]
