"""llama.cpp writing with the bundled decoder; a process of its own, for `generate.py`.

    python benchmarks/llama_cpp_worker.py FOLDER OUT.gguf --ids 0 17 … --num-new 200

It converts the folder's weights to GGUF: maps and token vectors as float16, norms as float32.
llama.cpp turns neighbouring components of queries and keys, where the field's folders pair i
with i + D/2, so the rows of those two maps are reordered. The tokens are written in the byte
alphabet of GPT-2, which both sides share, with the same merges.

Then it answers every line on its input (a batch size) with a line of JSON: seconds, CPU seconds,
and the ids of the first text. It calls llama.cpp's own functions, not the wrapper's loop, so that
Python costs it four calls a step.
"""

import argparse
import ctypes
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np


def weights(path: Path) -> dict[str, np.ndarray]:
    """The tensors of a safetensors file of bfloat16 or float32, as float32."""
    data = path.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    found = {}
    for name, entry in json.loads(data[8:start]).items():
        if name == "__metadata__":
            continue
        first, last = entry["data_offsets"]
        raw = data[start + first : start + last]
        if entry["dtype"] == "BF16":
            array = (np.frombuffer(raw, "<u2").astype("<u4") << 16).view("<f4")
        else:
            assert entry["dtype"] == "F32", entry["dtype"]
            array = np.frombuffer(raw, "<f4")
        found[name] = array.reshape(entry["shape"])
    return found


def neighbours(rows: np.ndarray, num_heads: int) -> np.ndarray:
    """The rows [heads·D, C] with components i and i + D/2 of each head side by side."""
    halves = rows.reshape(num_heads, 2, -1, rows.shape[1])
    return halves.swapaxes(1, 2).reshape(rows.shape)


def convert(folder: Path, out: Path) -> None:
    import gguf

    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    tokenizer = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    heads, key_heads = config["num_attention_heads"], config["num_key_value_heads"]
    writer = gguf.GGUFWriter(str(out), "llama")
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(heads)
    writer.add_head_count_kv(key_heads)
    writer.add_key_length(config["head_dim"])
    writer.add_value_length(config["head_dim"])
    writer.add_rope_dimension_count(config["head_dim"])
    writer.add_rope_freq_base(config["rope_parameters"]["rope_theta"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_vocab_size(config["vocab_size"])
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    tokens = sorted(tokenizer["model"]["vocab"], key=tokenizer["model"]["vocab"].get)
    special = {each["content"] for each in tokenizer["added_tokens"]}
    kinds = [gguf.TokenType.CONTROL if t in special else gguf.TokenType.NORMAL for t in tokens]
    merges = tokenizer["model"]["merges"]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges([m if isinstance(m, str) else " ".join(m) for m in merges])
    writer.add_bos_token_id(config["bos_token_id"])
    writer.add_eos_token_id(config["eos_token_id"])
    writer.add_add_bos_token(True)
    renamed = {
        "self_attn.q_proj": "attn_q",
        "self_attn.k_proj": "attn_k",
        "self_attn.v_proj": "attn_v",
        "self_attn.o_proj": "attn_output",
        "mlp.gate_proj": "ffn_gate",
        "mlp.up_proj": "ffn_up",
        "mlp.down_proj": "ffn_down",
        "input_layernorm": "attn_norm",
        "post_attention_layernorm": "ffn_norm",
    }
    whole = {"model.embed_tokens.weight": "token_embd.weight"}
    whole |= {"model.norm.weight": "output_norm.weight", "lm_head.weight": "output.weight"}
    for name, array in weights(folder / "model.safetensors").items():
        if name in whole:
            target = whole[name]
        else:
            _, _, layer, part = name.removesuffix(".weight").split(".", 3)
            target = f"blk.{layer}.{renamed[part]}.weight"
            if part.endswith(("q_proj", "k_proj")):
                array = neighbours(array, heads if part.endswith("q_proj") else key_heads)
        kind = np.float32 if array.ndim == 1 else np.float16
        writer.add_tensor(target, np.ascontiguousarray(array, dtype=kind))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


class Writer:
    """Greedy writing of `batch` equal texts at once."""

    def __init__(self, gguf: Path, batch: int, threads: int, context: int) -> None:
        import llama_cpp

        self.llama = llama_cpp
        kind = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)
        self._quiet = kind(lambda *_: None)
        llama_cpp.llama_log_set(self._quiet, None)
        parameters = llama_cpp.llama_model_default_params()
        parameters.n_gpu_layers = 0
        self.model = llama_cpp.llama_model_load_from_file(str(gguf).encode(), parameters)
        settings = llama_cpp.llama_context_default_params()
        settings.n_ctx, settings.n_seq_max = context * batch, batch
        settings.n_batch = settings.n_ubatch = 512
        settings.n_threads = settings.n_threads_batch = threads
        self.context = llama_cpp.llama_init_from_model(self.model, settings)
        self.sampler = llama_cpp.llama_sampler_init_greedy()
        self.batch, self.tokens = batch, llama_cpp.llama_batch_init(512, 0, 1)

    def read(self, rows: list[list[int]], first_position: int) -> list[int]:
        """The next token of each row, of which `rows` are the new tokens."""
        place, last = 0, []
        for sequence, row in enumerate(rows):
            for offset, token in enumerate(row):
                self.tokens.token[place] = token
                self.tokens.pos[place] = first_position + offset
                self.tokens.n_seq_id[place] = 1
                self.tokens.seq_id[place][0] = sequence
                self.tokens.logits[place] = offset == len(row) - 1
                place += 1
            last.append(place - 1)
        self.tokens.n_tokens = place
        failed = self.llama.llama_decode(self.context, self.tokens)
        assert not failed, failed
        return [self.llama.llama_sampler_sample(self.sampler, self.context, i) for i in last]

    def write(self, ids: list[int], num_new: int) -> list[int]:
        self.llama.llama_memory_clear(self.llama.llama_get_memory(self.context), True)
        rows, position, written = [ids] * self.batch, 0, []
        for _ in range(num_new):
            found = self.read(rows, position)
            position += len(rows[0])
            rows = [[token] for token in found]
            written.append(found[0])
        return written

    def tokenized(self, text: str) -> list[int]:
        vocabulary = self.llama.llama_model_get_vocab(self.model)
        ids, raw = (self.llama.llama_token * 512)(), text.encode()
        count = self.llama.llama_tokenize(vocabulary, raw, len(raw), ids, 512, True, True)
        return list(ids[:count])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("gguf", type=Path)
    parser.add_argument("--ids", type=int, nargs="+", required=True)
    parser.add_argument("--prompt", required=True)
    parser.add_argument("--num-new", type=int, default=200)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    convert(options.folder, options.gguf)
    writers: dict[int, Writer] = {}
    context = len(options.ids) + options.num_new

    def writer(batch: int) -> Writer:
        if batch not in writers:
            writers[batch] = Writer(options.gguf, batch, options.threads, context)
        return writers[batch]

    about: dict[str, Any] = {
        "llama_cpp_python": writer(1).llama.__version__,
        "llama_cpp_reads_the_same_tokens": writer(1).tokenized(options.prompt) == options.ids,
        "gguf_bytes": options.gguf.stat().st_size,
    }
    print(json.dumps(about), flush=True)
    for line in sys.stdin:
        here = writer(int(line))
        started, used = time.perf_counter(), time.process_time()
        ids = here.write(options.ids, options.num_new)
        seconds, cpu = time.perf_counter() - started, time.process_time() - used
        print(json.dumps({"seconds": seconds, "cpu_seconds": cpu, "ids": ids}), flush=True)


if __name__ == "__main__":
    main()
