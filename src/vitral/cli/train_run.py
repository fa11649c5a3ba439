"""What `vitral train` does once its options are read."""

import shlex
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.text import Text

from vitral.cli.train_recipe import recipe_for
from vitral.cli.train_sample import sample_prompt, sample_writer
from vitral.cli.train_split import said_of_split
from vitral.cli.train_watch import watched_text
from vitral.errors import VitralError
from vitral.messages import message
from vitral.models.load import locate
from vitral.training.distributed.current import current
from vitral.training.distributed.device import choose_device
from vitral.training.distributed.parallel import Kind
from vitral.training.preparation.corpus_preparation import prepare
from vitral.training.recipes.recipe import Recipe
from vitral.training.recipes.recipe_file import Setting
from vitral.training.runs.run_folder import Asked, RunFolder
from vitral.training.runs.stopping import stopping_on_signals
from vitral.training.trainer import Trainer
from vitral.training.watching.terminal import Terminal, duration
from vitral.training.watching.watcher import Watcher


@dataclass(frozen=True)
class Order:
    """The options of one call of `vitral train`."""

    folder: RunFolder
    sources: tuple[str, ...]
    name: str
    recipe: Recipe | None
    settings: list[Setting]
    minutes: float | None
    start: str | None
    device: str
    threads: int | None
    compiled: bool
    kind: Kind | None
    tensorboard: bool


def carry_out(order: Order) -> int:
    """Prepare, train, write the model, say what to run next; the exit code."""
    if order.threads is not None:
        torch.set_num_threads(order.threads)
    device = choose_device(order.device)
    with ExitStack() as stack:
        group = stack.enter_context(current(order.kind, device))
        console = Console(highlight=False, quiet=not group.leads)
        if group.leads:
            stack.enter_context(order.folder.alone())
        terminal = stack.enter_context(Terminal(console, device))
        watchers: list[Watcher] = [terminal]
        if order.tensorboard and group.leads:
            from vitral.training.watching.tensorboard import TensorBoard

            watchers.append(TensorBoard(order.folder.out))
        begun = order.folder.begun
        with group.leader_first(), _nothing_left_behind(order.folder, begun=begun):
            recipe, prepared, start = _prepared(order, terminal, device)
        with _nothing_left_behind(order.folder, begun=begun or not group.leads):
            trainer = Trainer(
                recipe,
                prepared,
                order.folder.out,
                start=start,
                compiled=order.compiled,
                device=device,
                watchers=watchers,
                write_sample=sample_writer(recipe, prepared),
                watched=watched_text(recipe, prepared, order.folder.out, leads=group.leads),
                parallel=group,
            )
            was_over = trainer.over
            with stopping_on_signals(trainer.stop):
                finished = trainer.run()
    if not group.leads:
        return 0 if finished else 130
    out = shlex.quote(str(order.folder.out))
    if not finished:
        print(message("train.stopped", step=trainer.state["step"], out=out), file=sys.stderr)
        return 130
    _say_what_is_next(console, trainer, out, was_over=was_over)
    return 0


def _prepared(order: Order, terminal: Terminal, device: str) -> tuple[Recipe, Any, Path | None]:
    """The recipe, the prepared data, and the model to start from."""
    folder, before = order.folder, order.folder.asked()
    start = None if order.start is None else str(locate(order.start)[1].resolve())
    if before is not None and start is None:
        start = before.start
    if before is not None and start != before.start:
        raise VitralError(
            "run_other_sources", out=folder.out, before=before.start or "—", now=start
        )
    minutes = order.minutes
    if minutes is None and before is not None:
        minutes = before.minutes
    made_by_a_rule = order.recipe is not None and order.recipe.data.pairs is not None
    sources = folder.check_sources(order.sources, needed=not made_by_a_rule)
    asked = Asked(sources, minutes if order.recipe is None else None, start)
    if not folder.begun:
        terminal.say(message("train.preparing"))
    recipe = order.recipe
    if recipe is None:
        recipe = recipe_for(folder, asked, order.settings, name=order.name, device=device)
    folder.begin(asked)
    folder.keep_recipe(recipe)
    path = None if start is None else Path(start)
    prepared = prepare(recipe, sources, folder.out, start=path)
    if (said := said_of_split(recipe, prepared, folder.out)) is not None:
        terminal.say(said)
    return recipe, prepared, path


@contextmanager
def _nothing_left_behind(folder: RunFolder, *, begun: bool) -> Iterator[None]:
    """Inside, an error deletes a run that has just started, so that the corrected command can use
    its folder; a run that was `begun` before, or has a checkpoint, stays. A full disk is
    `out_unwritable`."""
    try:
        yield
    except Exception as error:
        if not (begun or (folder.out / "checkpoint").exists()):
            folder.abandon()
        if isinstance(error, OSError):
            reason = error.strerror or str(error)
            raise VitralError("out_unwritable", out=folder.out, reason=reason) from error
        raise


def _say_what_is_next(console: Console, trainer: Trainer, out: str, *, was_over: bool) -> None:
    model = f"{out}/model"
    if was_over:
        console.print(Text(message("train.was_over", model=model, out=out)), soft_wrap=True)
    else:
        time = duration(60 * trainer.state["minutes"])
        step = trainer.state["step"]
        done = message("train.done", step=step, time=time, model=model)
        console.print(Text(done, "bold"), soft_wrap=True)
        best = trainer.early_stopping
        if best.weights and best.step != step:
            key = "train.best" if best.over and trainer.progress < 1 else "train.kept"
            console.print(Text(message(key, step=best.step)), soft_wrap=True)
    prompt = shlex.quote(sample_prompt(trainer.recipe, trainer.prepared) or "")
    writes = trainer.recipe.phases[-1].objective != "masked_words"
    first = f"vitral generate {prompt}" if writes else f"vitral trace {prompt}"
    console.print(Text(f"  {first} --model {model}"), soft_wrap=True)
    console.print(Text(f"  vitral studio --model {model}"), soft_wrap=True)
    line = f"  vitral evaluate {model} {message('train.a_file')}"
    console.print(Text(line), soft_wrap=True)
