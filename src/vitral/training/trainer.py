"""The training loop: ask, step; now and then look at held-out text and save.

    recipe = read_recipe(Path("recipes/vitral-es-gpt.yaml"))
    prepared = prepare(recipe, ["../shared/data/libros"], Path("runs/vitral-es-gpt"))
    Trainer(recipe, prepared, Path("runs/vitral-es-gpt")).run()

A run leaves in its folder the tokenizer, the token files, the checkpoint, `curve.jsonl` (a line
for each look at held-out text) and, at its end, `model/` in the Hugging Face format.

Everything random in a step depends on the recipe's seed and the step's number only. So a run of
so many steps that was stopped anywhere and taken up again ends bit for bit like one that was
not; there is no state of a random generator to save.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from vitral.models.hugging_face import write
from vitral.training.batch import Batch
from vitral.training.checkpoint import checkpoint_state, load_checkpoint, save_checkpoint
from vitral.training.growth import grow
from vitral.training.not_finite import not_finite
from vitral.training.objectives import Objective
from vitral.training.optimizers import build_optimizers
from vitral.training.precision import Precision
from vitral.training.preparation import Prepared, fresh_model, model_to_go_on_from, objective
from vitral.training.recipe import Phase, Recipe
from vitral.training.schedules import rate_at
from vitral.training.shapes import build_model
from vitral.training.watching import Looked, Stepped, Watcher


class Trainer:
    """One run of a recipe on a prepared corpus, in a folder of its own.

    `start` is the folder of a model to go on from; else the run starts from fresh weights. A
    checkpoint in `out` comes before both. `compiled` runs the loss through `torch.compile`.
    """

    def __init__(
        self,
        recipe: Recipe,
        prepared: Prepared,
        out: Path,
        *,
        start: Path | None = None,
        compiled: bool = False,
        device: str = "cpu",
        watchers: Sequence[Watcher] = (),
    ) -> None:
        self.recipe, self.prepared, self.out = recipe, prepared, out
        self.device = torch.device(device)
        self.watchers = watchers
        self.state: dict[str, Any] = {"step": 0, "minutes": 0.0, "tokens": 0}
        self.model = self._model(start).to(self.device)
        self.precision = Precision(recipe.precision, self.device)
        self.optimizers = build_optimizers(self.model, recipe.optimizer)
        saved = load_checkpoint(out / "checkpoint", self.model, self.optimizers)
        if saved is not None:
            self.precision.state = saved.pop("precision", {})
            self.state |= saved
        self._compiled = compiled
        self._phase: Phase | None = None
        self._losses: list[float] = []

    def _model(self, start: Path | None) -> nn.Module:
        saved = checkpoint_state(self.out / "checkpoint")
        if saved is not None:
            size = self.prepared.tokenizer.get_vocab_size()
            return build_model(self.recipe.model, size, saved.get("num_layers"))
        if start is not None:
            return model_to_go_on_from(start, self.recipe, self.prepared)
        return fresh_model(self.recipe, self.prepared)

    @property
    def progress(self) -> float:
        """How much of the run is over, 0 … 1."""
        unit = "minutes" if self.recipe.steps is None else "step"
        return min(1.0, float(self.state[unit]) / self.recipe.end)

    def run(self) -> None:
        """Train to the recipe's end, from wherever the run stands, and write the model."""
        num_parameters = sum(weight.numel() for weight in self.model.parameters())
        for watcher in self.watchers:
            watcher.started(self.recipe.name, num_parameters, self.state["step"])
        self.model.train()
        saved_at = self.state["minutes"]
        while self.progress < 1:
            self.enter_phase()
            self.step()
            if self.state["step"] % self.recipe.evaluate_every == 0 or self.progress == 1:
                self.look()
            if self.state["minutes"] - saved_at > self.recipe.checkpoint_minutes:
                self.save()
                saved_at = self.state["minutes"]
        self.save()
        folder = self.out / "model"
        write(self.model, self.prepared.tokenizer, folder)
        for watcher in self.watchers:
            watcher.ended(folder)

    def save(self) -> None:
        """Write the checkpoint."""
        state = self.state | {
            "num_layers": self.model.config.num_layers,  # type: ignore[union-attr]
            "precision": self.precision.state,
        }
        save_checkpoint(self.out / "checkpoint", self.model, self.optimizers, state)
        for watcher in self.watchers:
            watcher.saved(self.out / "checkpoint", self.state["step"])

    def enter_phase(self) -> None:
        """Take up the phase that the run has come to: how deep the model is, and what is asked."""
        phase = next(p for p in self.recipe.phases if self.progress < p.until or p.until == 1)
        if phase is self._phase:
            return
        self._phase = phase
        self._grow(phase.num_layers or self.recipe.model.num_layers)
        self.objective: Objective = objective(self.recipe, phase, self.prepared)
        loss = self.objective.loss(self.model)
        self._loss = torch.compile(loss, dynamic=False) if self._compiled else loss

    def _grow(self, num_layers: int) -> None:
        """Give the model the layers that it has not yet; the optimisers keep what they know of
        the others."""
        if self.model.config.num_layers >= num_layers:  # type: ignore[union-attr,operator]
            return
        grow(self.model, num_layers)
        known = self.optimizers
        self.optimizers = build_optimizers(self.model, self.recipe.optimizer)
        for optimizer, before in zip(self.optimizers, known, strict=True):
            optimizer.state.update(before.state)

    def step(self) -> float:
        """One step of the optimisers; returns the loss before it, in nats an answer.

        Raises VitralError `training_not_finite` with the step and the first bad address."""
        since = time.monotonic()
        step = self.state["step"]
        torch.manual_seed(hash((self.recipe.seed, step)))  # dropout
        batch = self.objective.batch(step)
        loss = self._accumulate(batch)
        self.precision.gradients_as_they_are(self.optimizers)
        norm = self._clip()
        if not (self.precision.may_overflow or torch.isfinite(norm)):
            raise not_finite(self.model, batch, step)
        rate = rate_at(self.progress, self.recipe.schedule)
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["peak"] * rate
        self.precision.step(self.optimizers)
        for optimizer in self.optimizers:
            optimizer.zero_grad()
        seconds = time.monotonic() - since
        self.state["step"] += 1
        self.state["tokens"] += batch.num_tokens
        self.state["minutes"] += seconds / 60
        self._losses.append(loss)
        event = Stepped(
            step=self.state["step"],
            progress=self.progress,
            loss=loss,
            rate=rate,
            gradient_norm=float(norm),
            tokens=self.state["tokens"],
            seconds=seconds,
            minutes=self.state["minutes"],
        )
        for watcher in self.watchers:
            watcher.stepped(event)
        return loss

    def _accumulate(self, batch: Batch) -> float:
        """The gradient of the batch's mean loss, part by part; returns that loss."""
        num_asked, total = max(1, batch.num_asked), 0.0
        for part in batch.parts(self.recipe.batch.parts):
            part = part.to(self.device)
            with self.precision.autocast():
                loss: Tensor = self._loss(**part.inputs, targets=part.targets) / num_asked
            self.precision.backward(loss)
            total += float(loss.detach())
        return total

    def _clip(self) -> Tensor:
        """The gradients' norm, brought down to the recipe's limit if it is more."""
        most = self.recipe.optimizer.clip
        return nn.utils.clip_grad_norm_(
            self.model.parameters(), float("inf") if most is None else most
        )

    def look(self) -> Looked:
        """Look at held-out text, and tell the watchers what came out."""
        assert self._phase is not None
        self.model.eval()
        event = Looked(
            step=self.state["step"],
            progress=self.progress,
            tokens=self.state["tokens"],
            minutes=self.state["minutes"],
            loss=sum(self._losses) / max(1, len(self._losses)),
            objective=self._phase.objective,
            figures=self.objective.held_out(self.model),
        )
        self.model.train()
        self._losses.clear()
        for watcher in self.watchers:
            watcher.looked(event)
        return event
