"""The training loop: batch, step; at intervals evaluate on held-out text and save.

    recipe = recipe_file.read_recipe(Path("recipes/vitral-es-gpt.yaml"))
    prepared = prepare(recipe, ["../shared/data/libros"], Path("runs/vitral-es-gpt"))
    Trainer(recipe, prepared, Path("runs/vitral-es-gpt")).run()

A run leaves in its folder the tokenizer, the token files, the checkpoints, `curve.jsonl` (a line
for each evaluation), `steps.jsonl` (a line for each step) and, at its end, `model/` in
the Hugging Face format.

Everything random in a step depends on the recipe's seed and the step's number only. So a run of
so many steps that was stopped anywhere and resumed ends bit for bit like one that was not; there
is no state of a random generator to save.
"""

import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from vitral.errors import VitralError
from vitral.messages import message
from vitral.models.hugging_face import write_files
from vitral.models.kept_files import put_back
from vitral.training.distributed.parallel import Parallel
from vitral.training.objectives import Objective
from vitral.training.objectives.batch import Batch
from vitral.training.optimization.gradients import gradient_norms
from vitral.training.optimization.growth import grow
from vitral.training.optimization.kept_memory import keep_memory
from vitral.training.optimization.not_finite import not_finite
from vitral.training.optimization.optimizers import build_optimizers
from vitral.training.optimization.precision import Precision
from vitral.training.optimization.schedules import rate_at
from vitral.training.preparation.corpus_preparation import (
    Prepared,
    fresh_model,
    model_to_go_on_from,
    objective,
    shaped_model,
)
from vitral.training.preparation.pair_preparation import START, PreparedPairs
from vitral.training.recipes.recipe import Phase, Recipe
from vitral.training.recipes.recipe_changes import changes
from vitral.training.runs.checkpoint import Checkpoint, most_recent_checkpoint
from vitral.training.runs.curve import Curve
from vitral.training.runs.durable import write_folder
from vitral.training.runs.early_stopping import EarlyStopping
from vitral.training.watching.watched_text import WatchedText, is_due
from vitral.training.watching.watcher import Evaluated, Stepped, Watcher

GRADIENTS_EVERY = 10
"""How often, in steps, the gradients of the model's parts are measured one by one."""


class Trainer:
    """One run of a recipe on a prepared corpus, in a folder of its own.

    `start` is the folder of a model to start from; by default the weights are random. A
    checkpoint in `out` has precedence over both. `compiled` runs the loss through
    `torch.compile`. `write_sample` makes the model generate a sample at each evaluation, which
    the curve keeps. `watched` is a sentence whose attention is recorded during training.
    `parallel` is the group of this process: if several train one model, the first prints and
    writes.

    Raises `recipe_changed` and `run_other_text` if the checkpoint in `out` belongs to another
    recipe or another text, `checkpoints_damaged` if there is no complete one to resume from.
    """

    def __init__(
        self,
        recipe: Recipe,
        prepared: Prepared | PreparedPairs,
        out: Path,
        *,
        start: Path | None = None,
        compiled: bool = False,
        device: str = "cpu",
        watchers: Sequence[Watcher] = (),
        write_sample: Callable[[nn.Module, int], str] | None = None,
        watched: WatchedText | None = None,
        parallel: Parallel | None = None,
    ) -> None:
        self.recipe, self.prepared, self.out = recipe, prepared, out
        self.parallel = parallel or Parallel()
        self.parallel.check(recipe)
        self.device = self.parallel.device(device)
        if self.device.type == "cpu":
            keep_memory()
        if watched is not None:
            watchers = (watched, *watchers)
        self.watchers: Sequence[Watcher] = (Curve(out), *watchers) if self.parallel.leads else ()
        self.write_sample, self.watched = write_sample, watched
        self.state: dict[str, Any] = {"step": 0, "minutes": 0.0, "tokens": 0}
        saved = most_recent_checkpoint(out / "checkpoint", self._notice)
        if saved is not None:
            self._check_is_ours(saved)
        model = self._model(start, saved)
        model.recompute_activations = recipe.recompute_activations  # type: ignore[assignment]
        self.model = self.parallel.place(model, self.device)
        self.precision = Precision(recipe.precision, self.device)
        self.optimizers = build_optimizers(self.model, recipe.optimizer, precision=recipe.precision)
        self.early_stopping = EarlyStopping(recipe.patience)
        self._compiled = compiled
        self._phase: Phase | None = None
        self._losses: list[float] = []
        self._saved_step: int | None = None
        self._stopping = False
        if saved is not None:
            self._go_on_from(saved)

    def _notice(self, line: str) -> None:
        for watcher in self.watchers:
            watcher.noticed(line)

    def _check_is_ours(self, saved: Checkpoint) -> None:
        for change in changes(saved.state["recipe"], self.recipe):
            self._notice(message("train.recipe_changed", change=change))
        if saved.state["fingerprint"] != self.prepared.fingerprint:
            raise VitralError("run_other_text", folder=self.out)

    def _go_on_from(self, saved: Checkpoint) -> None:
        best = self.parallel.restore(saved, self.model, self.optimizers)
        weights = {name.removeprefix("best."): weight for name, weight in best.items()}
        self.early_stopping.restore(saved.state["early_stopping"], weights)
        self.precision.state = saved.state["precision"]
        self._losses = list(saved.state["losses"])
        self.state = {name: saved.state[name] for name in self.state}
        self._saved_step = self.state["step"]

    def _model(self, start: Path | None, saved: Checkpoint | None) -> nn.Module:
        if saved is not None:
            return shaped_model(self.recipe, self.prepared, saved.state["num_layers"])
        if start is not None:
            return model_to_go_on_from(start, self.recipe, self.prepared)
        return fresh_model(self.recipe, self.prepared)

    @property
    def progress(self) -> float:
        """How much of the run is over, 0 … 1."""
        unit = "minutes" if self.recipe.steps is None else "step"
        return min(1.0, float(self.state[unit]) / self.recipe.end)

    @property
    def over(self) -> bool:
        """Whether the run is complete: at the recipe's end, or out of patience."""
        return self.progress >= 1 or self.early_stopping.over

    @property
    def stopping(self) -> bool:
        """Whether `stop` was called, in this process or in another of the run."""
        return self.parallel.total(self._stopping) > 0

    def stop(self) -> None:
        """Make `run` save and return after the current step; called from a signal's handler or
        another thread."""
        self._stopping = True

    def run(self) -> bool:
        """Train to the recipe's end, from wherever the run stands, and write the model. False if
        it was stopped on the way."""
        try:
            return self._run()
        except BaseException:
            for watcher in self.watchers:
                watcher.failed()
            raise

    def _run(self) -> bool:
        num_parameters = sum(weight.numel() for weight in self.model.parameters())
        for watcher in self.watchers:
            watcher.started(self.recipe.name, num_parameters, self.state["step"])
        self.model.train()
        self._watch_at_the_start()
        saved_at = self.state["minutes"]
        while not (self.over or self.stopping):
            self.enter_phase()
            self.step()
            if self.state["step"] % self.recipe.evaluate_every == 0 or self.progress == 1:
                self.evaluate()
            elif self.watched is not None and is_due(self.state["step"]):
                with self.parallel.looking(self.model):
                    self.watched.record(self.model, self.state["step"])
            if self.state["minutes"] - saved_at > self.recipe.checkpoint_minutes:
                self.save()
                saved_at = self.state["minutes"]
        self.save()
        if not self.over:
            for watcher in self.watchers:
                watcher.stopped(self.state["step"])
            return False
        self.early_stopping.put_best(self.model)
        self.write_model()
        return True

    def _watch_at_the_start(self) -> None:
        """Record the watched sentence's attention before the first step."""
        if self.watched is None or self.state["step"] > 0:
            return
        with self.parallel.looking(self.model):
            self.watched.record(self.model, 0)

    def write_model(self) -> None:
        """Write `model/`. Raises `file_unwritable` if it cannot be written."""
        whole = self.parallel.whole(self.model)
        if whole is None:
            return
        folder = self.out / "model"

        def fill(new: Path) -> None:
            write_files(whole, self.prepared.tokenizer, new)
            put_back(self.out / START, new)

        try:
            write_folder(folder, fill)
        except OSError as error:
            reason = error.strerror or str(error)
            raise VitralError("file_unwritable", path=folder, reason=reason) from error
        for watcher in self.watchers:
            watcher.ended(folder)

    def save(self) -> None:
        """Write the checkpoint of this step, unless it is there. Raises `checkpoint_unwritten`."""
        if self._saved_step == self.state["step"]:
            return
        for watcher in self.watchers:
            watcher.saving(self.state["step"])
        state = self.state | {
            "num_layers": self.model.config.num_layers,  # type: ignore[union-attr]
            "losses": self._losses,
            "early_stopping": self.early_stopping.state,
            "precision": self.precision.state,
            "recipe": self.recipe.model_dump(mode="json"),
            "fingerprint": self.prepared.fingerprint,
        }
        best = {f"best.{name}": weight for name, weight in self.early_stopping.weights.items()}
        self.parallel.save(self.out / "checkpoint", self.model, self.optimizers, state, best)
        self._saved_step = self.state["step"]
        for watcher in self.watchers:
            watcher.saved(self.out / "checkpoint", self.state["step"])

    def enter_phase(self) -> None:
        """Start the phase that the run has reached: its number of layers and its objective."""
        phase = next(p for p in self.recipe.phases if self.progress < p.until or p.until == 1)
        if phase is self._phase:
            return
        self._phase = phase
        self._grow(phase.num_layers or self.recipe.model.num_layers)
        self.objective: Objective = objective(self.recipe, phase, self.prepared)
        loss = self.parallel.wrap(self.objective.loss(self.model))
        self._loss = torch.compile(loss, dynamic=False) if self._compiled else loss

    def _grow(self, num_layers: int) -> None:
        """Add the missing layers to the model; the optimisers keep their state for the others."""
        if self.model.config.num_layers >= num_layers:  # type: ignore[union-attr,operator]
            return
        grow(self.model, num_layers)
        known = self.optimizers
        self.optimizers = build_optimizers(
            self.model, self.recipe.optimizer, precision=self.recipe.precision
        )
        for optimizer, before in zip(self.optimizers, known, strict=True):
            optimizer.state.update(before.state)

    def step(self) -> float:
        """One step of the optimisers; returns the loss before it, in nats per target.

        Raises VitralError `training_not_finite` with the step and the first bad address."""
        since = time.monotonic()
        step = self.state["step"]
        torch.manual_seed(hash((self.recipe.seed, step, self.parallel.rank)))  # dropout
        batch = self.objective.batch(step)
        loss = self._accumulate(batch)
        self.precision.gradients_as_they_are(self.optimizers)
        measured = (step + 1) % GRADIENTS_EVERY == 0
        norms = gradient_norms(self.model) if measured else {}
        norm = self.parallel.clip(self.model, self.recipe.optimizer.clip)
        finite = bool(torch.isfinite(norm))
        if not (finite or (math.isfinite(loss) and self.precision.may_overflow)):
            raise not_finite(self.model, batch, step)
        rate = rate_at(self.progress, self.recipe.schedule)
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["peak"] * rate
        self.precision.step(self.optimizers, finite=finite)
        for optimizer in self.optimizers:
            optimizer.zero_grad()
        seconds = self.parallel.agreed(time.monotonic() - since)
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
            gradient_norms=norms,
        )
        for watcher in self.watchers:
            watcher.stepped(event)
        return loss

    def _accumulate(self, batch: Batch) -> float:
        """The gradient of the batch's mean loss, part by part; returns that loss."""
        num_asked, total = max(1, batch.num_asked), 0.0
        for part in self.parallel.parts(batch, self.recipe.batch.parts):
            part = part.to(self.device)
            with self.precision.autocast():
                loss: Tensor = self._loss(**part.inputs, targets=part.targets) / num_asked
            self.precision.backward(loss * self.parallel.size)  # gradients are averaged
            total += float(loss.detach())
        return self.parallel.total(total)

    def evaluate(self) -> Evaluated:
        """Evaluate on held-out text, and report the figures to the watchers."""
        assert self._phase is not None
        step = self.state["step"]
        with self.parallel.looking(self.model):
            figures = self.objective.held_out(self.model)
            sample = self.write_sample(self.model, step) if self.write_sample is not None else None
            if self.watched is not None:
                self.watched.record(self.model, step)
        event = Evaluated(
            step=step,
            progress=self.progress,
            tokens=self.state["tokens"],
            minutes=self.state["minutes"],
            loss=sum(self._losses) / max(1, len(self._losses)),
            objective=self._phase.objective,
            figures={name: self.parallel.agreed(value) for name, value in figures.items()},
            sample=sample,
        )
        self._losses.clear()
        if self._phase is self.recipe.phases[-1]:
            self.early_stopping.evaluated(event.figures["held_out_loss"], step, self.model)
        for watcher in self.watchers:
            watcher.evaluated(event)
        return event
