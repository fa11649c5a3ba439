"""The training loop: draw windows, ask, step; now and then look at held-out text and save.

    python -m vitral.training recipes/vitral-es-gpt.yaml --data LIBROS --out runs/vitral-es-gpt

The same command goes on after a stop. A run leaves in its folder the tokenizer, the token files,
the checkpoint, `curve.jsonl` (one line an evaluation) and, at its end, `model/` in the Hugging
Face format.
"""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor, nn

from vitral.data.corpus import Document, read_corpus, read_held_out
from vitral.data.windows import TokenFile, draw_windows
from vitral.errors import VitralError
from vitral.models.bert import Bert, BertConfig
from vitral.models.hugging_face import read
from vitral.models.llama import Llama, LlamaConfig
from vitral.text.tokenizers import BEGIN, special_id, train_byte_level_bpe, train_wordpiece
from vitral.training.checkpoint import checkpoint_state, load_checkpoint, save_checkpoint
from vitral.training.evaluation import bits_per_byte, masked_loss_of
from vitral.training.growth import grow
from vitral.training.initialisation import initialise
from vitral.training.objectives import (
    Masking,
    masked_words_loss,
    next_token_loss,
    phase_at,
    see_only_the_past,
)
from vitral.training.optimizers import build_optimizers, rate_at
from vitral.training.recipe import BertShape, Phase, Recipe

SAMPLE_CHARACTERS = 60_000
"""How much of each held-out book the evaluations during training read."""


def build_model(recipe: Recipe, num_layers: int | None = None) -> Llama | Bert:
    """A model of the recipe's shape (or of so many layers of it) with random weights."""
    shape = recipe.model.model_dump(exclude={"form"})
    if num_layers is not None:
        shape["num_layers"] = num_layers
    if isinstance(recipe.model, BertShape):
        shape["num_key_value_heads"] = recipe.model.num_heads
        return Bert(BertConfig(vocab_size=recipe.vocab_size, **shape))
    return Llama(LlamaConfig(vocab_size=recipe.vocab_size, **shape))


class Trainer:
    """One run of a recipe on a folder of books, in a folder of its own.

    `start` is the folder of a model to go on from, with its tokenizer; else the run learns a
    tokenizer of its own and starts from fresh weights. A checkpoint in `out` comes before both.
    """

    def __init__(
        self,
        recipe: Recipe,
        data: Path,
        out: Path,
        *,
        start: Path | None = None,
        compiled: bool = True,
    ) -> None:
        self.recipe, self.out, self.start = recipe, out, start
        stem = out / "tokens"
        if TokenFile.exists(stem):  # a run that goes on need not read the books again
            held_out = read_held_out(data, recipe.held_out)
            self.tokenizer = self._tokenizer([])
            self.tokens = TokenFile.open(stem)
        else:
            training, held_out = read_corpus(data, recipe.held_out)
            self.tokenizer = self._tokenizer(training)
            self.tokens = TokenFile.write(training, self.tokenizer, stem)
        self.samples = [document.text[:SAMPLE_CHARACTERS] for document in held_out]
        self.state: dict[str, Any] = {"step": 0, "minutes": 0.0, "tokens": 0}
        saved = checkpoint_state(out / "checkpoint")
        if saved is not None:
            self.model = build_model(recipe, saved.get("num_layers"))
        elif start is not None:
            self.model = self._model_to_go_on_from(start)
        else:
            self.model = build_model(recipe, recipe.phases[0].num_layers)
            initialise(self.model, recipe.seed, self.tokens.ids)
        self.optimizers = build_optimizers(self.model, recipe)
        self.state |= load_checkpoint(out / "checkpoint", self.model, self.optimizers) or {}
        self._compiled = compiled
        self._phase: Phase | None = None

    def _tokenizer(self, training: list[Document]) -> Tokenizer:
        path = self.out / "tokenizer.json"
        if path.exists():
            return Tokenizer.from_file(str(path))
        self.out.mkdir(parents=True, exist_ok=True)
        if self.start is not None:
            path.write_bytes((self.start / "tokenizer.json").read_bytes())
            return Tokenizer.from_file(str(path))
        lines = (line for document in training for line in document.text.split("\n"))
        train = (
            train_wordpiece if isinstance(self.recipe.model, BertShape) else train_byte_level_bpe
        )
        tokenizer = train(lines, self.recipe.vocab_size)
        tokenizer.save(str(path))
        return tokenizer

    def _model_to_go_on_from(self, start: Path) -> Llama | Bert:
        """The model in `start`. Raises `start_mismatch` if it has another shape than the
        recipe's; fewer layers are no other shape, for it can grow."""
        found = read(start)
        mismatch = VitralError("start_mismatch", folder=start, recipe=self.recipe.name)
        if not isinstance(found, Llama | Bert):
            raise mismatch
        depth = found.config.num_layers
        if depth > self.recipe.model.num_layers:
            raise mismatch
        if found.config != build_model(self.recipe, depth).config:
            raise mismatch
        return found

    @property
    def progress(self) -> float:
        """How much of the run is over, 0 … 1."""
        return min(1.0, float(self.state["minutes"]) / self.recipe.minutes)

    def run(self) -> None:
        """Train to the recipe's end, from wherever the run stands."""
        saved_at, since = self.state["minutes"], time.monotonic()
        losses: list[float] = []
        while self.progress < 1:
            self.enter_phase()
            losses.append(self.step())
            now = time.monotonic()
            self.state["minutes"] += (now - since) / 60
            since = now
            if self.state["step"] % self.recipe.evaluate_every == 0 or self.progress == 1:
                self._report(float(np.mean(losses)))
                losses.clear()
                since = time.monotonic()  # looking is not training
            if self.state["minutes"] - saved_at > self.recipe.checkpoint_minutes:
                self.save()
                saved_at = self.state["minutes"]
        self.save()

    def save(self) -> None:
        state = self.state | {"num_layers": self.model.config.num_layers}
        save_checkpoint(self.out / "checkpoint", self.model, self.optimizers, state)

    def enter_phase(self) -> None:
        """Take up the phase that the run has come to: how deep the model is, what is asked,
        which way attention may look, what is compiled."""
        phase = phase_at(self.progress, self.recipe.phases)
        if phase == self._phase:
            return
        self._phase = phase
        self._grow(phase.num_layers or self.recipe.model.num_layers)
        see_only_the_past(self.model, phase.objective == "next_token")
        torch.compiler.reset()
        whole: Callable[..., Tensor] = self.model.forward
        if phase.objective == "masked_words":
            assert isinstance(self.model, Bert), "masked words are an encoder's objective"
            whole = self.model.encode
        self._forward = torch.compile(whole, dynamic=False) if self._compiled else whole

    def _grow(self, num_layers: int) -> None:
        """Give the model the layers that it has not yet; the optimisers keep what they know of
        the others."""
        if self.model.config.num_layers >= num_layers:
            return
        grow(self.model, num_layers)
        known = self.optimizers
        self.optimizers = build_optimizers(self.model, self.recipe)
        for optimizer, before in zip(self.optimizers, known, strict=True):
            optimizer.state.update(before.state)

    def _loss(self, windows: Tensor) -> Tensor:
        assert self._phase is not None
        if self._phase.objective == "next_token":
            return next_token_loss(self._forward, windows)
        assert isinstance(self.model, Bert)
        masking = Masking.of(self.tokenizer, self._phase.mask_share)
        generator = np.random.default_rng((self.recipe.seed, self.state["step"], 1))
        masked, chosen = masking.apply(
            windows.numpy(), generator, all_masked=self._phase.all_masked
        )
        places = torch.tensor(np.argwhere(chosen))
        return masked_words_loss(self.model, self._forward, torch.tensor(masked), windows, places)

    def _windows(self) -> Tensor:
        """The step's windows, with the special tokens that every text starts and ends with."""
        drawn = draw_windows(
            self.tokens,
            self.state["step"],
            num_tokens=self.recipe.tokens_per_step,
            lengths=self.recipe.lengths,
            seed=self.recipe.seed,
        )
        windows = torch.tensor(drawn)
        if isinstance(self.recipe.model, BertShape):
            windows[:, 0] = special_id(self.tokenizer, "[CLS]")
            windows[:, -1] = special_id(self.tokenizer, "[SEP]")
        else:
            windows[:, 1:] = windows[:, :-1].clone()
            windows[:, 0] = special_id(self.tokenizer, BEGIN)
        return windows

    def step(self) -> float:
        """One step of the optimisers; returns the loss before it."""
        windows = self._windows()
        loss = self._loss(windows)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe.clip)
        rate = rate_at(self.progress, self.recipe)
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["peak"] * rate
            optimizer.step()
            optimizer.zero_grad()
        self.state["step"] += 1
        self.state["tokens"] += windows.numel()
        return float(loss.detach())

    def _report(self, loss: float) -> None:
        """Look at held-out text; add a line to the curve and print it."""
        line: dict[str, Any] = {"step": self.state["step"], "tokens": self.state["tokens"]}
        line |= {"minutes": round(self.state["minutes"], 2), "loss": round(loss, 4)}
        assert self._phase is not None
        line["objective"] = self._phase.objective
        self.model.eval()
        if self._phase.objective == "masked_words":
            found = masked_loss_of(self.model, self.tokenizer, self.samples, max_windows=96)
            line["held_out_loss"] = round(found.nats, 4)
            line["masked_accuracy"] = round(found.accuracy, 4)
        elif isinstance(self.model, Llama):
            excerpts = [sample[:6_000] for sample in self.samples]
            bits = bits_per_byte(self.model, self.tokenizer, excerpts)
            line["bits_per_byte"] = round(bits, 4)
        self.model.train()
        print(json.dumps(line), flush=True)
        with (self.out / "curve.jsonl").open("a", encoding="utf-8") as curve:
            curve.write(json.dumps(line) + "\n")
