"""Every architecture of the installed transformers, beside its own eager attention.

    python tests/parity/sweep.py                 all, going on where the last run stopped
    python tests/parity/sweep.py bert t5         these model types only, printed

A tiny random model of each class is built from its configuration alone and run on made-up
inputs, traced and eager; its trace is saved, opened and drawn, and padding, kind and context are
measured (`uses.py`). Each stands in a process of its own, forked from one that has imported
transformers, so that a crash, a hang or a hoard of memory ends that one only. Outcomes go to
`build/parity.jsonl`, from which `page.py` writes docs/architectures.md.
"""

import json
import os
import resource
import select
import signal
import sys
import time
import traceback
import warnings
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import torch
import transformers

from parity import uses
from parity.dummy_inputs import candidates
from parity.tiny_configurations import tiny

ROOT = Path(__file__).parents[2]
OUTCOMES = ROOT / "build" / "parity.jsonl"
SECONDS, MEMORY = 60, 6 << 30
MOST_PARAMETERS = 70_000_000


@dataclass
class Outcome:
    """What became of one class. `status` is one of exact, eager, wrong, untraced, unbuilt."""

    model_type: str
    name: str
    status: str
    reason: str = ""
    num_attentions: int = 0
    largest: float | None = None
    sharpest: float = 0.0  # how far the patterns are from even: equal rows would show nothing
    uncompared: str = ""  # addresses whose pattern the eager implementation does not write down
    missing: str = ""  # attention modules that the trace knows nothing of
    parts: str = ""
    inputs: str = ""
    shown: str = ""  # what went wrong in saving, opening and drawing; "" where nothing did
    refused: str = ""  # the lines with which a view said that it shows nothing
    left: float | None = None  # how far a padded row is from the row alone; None for no text
    right: float | None = None
    kind: str = ""  # what `Model.kind` says of it where a measurement says otherwise
    context: str = ""  # what is wrong with `Model.context`; "" where nothing is
    seconds: float = 0.0


def classes() -> dict[str, list[str]]:
    """The classes of each model type, base models first, as the auto classes list them."""
    from transformers.models.auto import modeling_auto

    mappings = [modeling_auto.MODEL_MAPPING_NAMES]
    mappings += [
        value
        for name, value in sorted(vars(modeling_auto).items())
        if name.endswith("_NAMES") and name.startswith("MODEL_") and isinstance(value, dict)
    ]
    found: dict[str, list[str]] = {}
    for mapping in mappings:
        for model_type, names in mapping.items():
            for name in (names,) if isinstance(names, str) else names:
                if name not in found.setdefault(model_type, []):
                    found[model_type].append(name)
    return found


def build(model_type: str, name: str) -> Any:
    """A tiny model with weights large enough that its heads differ, in eval mode."""
    try:
        return _built(model_type, name, fill=False)
    except (TypeError, AttributeError, RuntimeError) as error:
        try:
            return _built(model_type, name, fill=True)
        except Exception:
            raise error from None


def _built(model_type: str, name: str, *, fill: bool) -> Any:
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    config_class = CONFIG_MAPPING[model_type]
    model_class = getattr(transformers, name)
    with torch.device("meta"):
        empty = model_class._from_config(tiny(config_class, model_type, fill))
    size = sum(each.numel() for each in empty.parameters())
    if size > MOST_PARAMETERS:
        raise MemoryError(f"{size / 1e6:.0f} M parameters")
    torch.manual_seed(0)
    model = model_class._from_config(tiny(config_class, model_type, fill)).eval().float()
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            if parameter.dim() > 1 and parameter.numel():
                fan_in = parameter[0].numel()
                parameter.normal_(std=min(0.3, 1.1 * fan_in**-0.5))
            elif "norm" not in key.lower() and "ln" not in key and parameter.dim() == 1:
                parameter.normal_(std=0.1)
    return model


def attempt(model_type: str, name: str, *, drawn: bool = True) -> Outcome:
    """What becomes of one class; with `drawn` figures and pages of it are made, too."""
    outcome = Outcome(model_type, name, "unbuilt")
    try:
        model = build(model_type, name)
    except BaseException as error:
        outcome.reason = said(error)
        return outcome
    outcome.status = "unrun"
    inputs = accepted_inputs(model, outcome)
    if inputs is None:
        with suppress(Exception):
            model = _built(model_type, name, fill=True)
            inputs = accepted_inputs(model, outcome)
    if inputs is None:
        return outcome
    outcome.inputs, outcome.reason = ", ".join(inputs), ""
    from vitral.tracing.recording.comparison import TOLERANCE, compare
    from vitral.tracing.recording.layers import is_attention

    try:
        found = compare(model, (), inputs)
        if found.largest is not None and TOLERANCE < found.largest < 1e-3:
            # Rounding that grows from layer to layer, or something worse: doubles tell.
            inputs = {key: _double(value) for key, value in inputs.items()}
            found = compare(model.double(), (), inputs)
            outcome.reason = "in float64"
    except Exception as error:
        outcome.status, outcome.reason = "untraced", said(error)
        if not any(is_attention(part) for part in model.modules()):
            outcome.reason = "has no attention"
        return outcome
    outcome.num_attentions = len(found.deviations)
    outcome.largest = found.largest
    outcome.sharpest = round(found.sharpest, 3)
    parts = dict.fromkeys(each.address.split("layers.")[0] for each in found.deviations)
    outcome.parts = ", ".join(part.rstrip(".") for part in parts)
    _use(model, inputs, outcome, drawn=drawn)
    wrong = [each for each in found.deviations if (each.largest or 0.0) > TOLERANCE]
    alone = [each for each in found.deviations if each.largest is None and not each.given]
    if wrong:
        outcome.status = "wrong"
        outcome.reason = ", ".join(f"{each.address} {each.largest:.2g}" for each in wrong)[:300]
    elif any(each.given for each in found.deviations):
        outcome.status = "eager"
    else:
        outcome.status = "uncompared" if alone else "exact"
    if alone:
        outcome.uncompared = ", ".join(each.address for each in alone)[:300]
    outcome.missing = ", ".join(found.missing)[:300]
    return outcome


def _use(model: Any, inputs: dict[str, Any], outcome: Outcome, *, drawn: bool) -> None:
    """What people do with a trace, tried; each by itself, so that one failure hides no other."""
    try:
        outcome.refused = ", ".join(uses.kept_and_drawn(model, inputs, drawn=drawn))
    except Exception as error:
        outcome.shown = said(error)
    if not uses.reads_ids(inputs):
        return
    model = model.float()
    for name, measure in (
        ("left", lambda: uses.padding(model, left=True)),
        ("right", lambda: uses.padding(model, left=False)),
        ("kind", lambda: uses.kind_said(model)),
        ("context", lambda: uses.context_said(model)),
    ):
        try:
            setattr(outcome, name, measure())
        except Exception as error:
            outcome.context = f"{outcome.context}; {name}: {said(error)}".lstrip("; ")


def accepted_inputs(model: Any, outcome: Outcome) -> dict[str, Any] | None:
    """The first made-up inputs that the model takes; else the first complaint is kept."""
    for inputs in candidates(model):
        try:
            with torch.no_grad():
                model(**inputs)
        except Exception as error:
            outcome.reason = outcome.reason or said(error)
            continue
        return inputs
    return None


def _double(value: Any) -> Any:
    floating = isinstance(value, torch.Tensor) and value.is_floating_point()
    return value.double() if floating else value


def said(error: BaseException) -> str:
    place = traceback.extract_tb(error.__traceback__)[-1]
    text = " ".join(str(error).split())[:300]
    return f"{type(error).__name__}: {text} [{Path(place.filename).name}:{place.lineno}]"


def guarded(model_type: str, name: str, *, drawn: bool = True) -> Outcome:
    """`attempt` in a process of its own."""
    with suppress(Exception):  # imported here once for all of its classes
        getattr(transformers, name)
    reading, writing = os.pipe()
    start = time.monotonic()
    child = os.fork()
    if child == 0:
        os.close(reading)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        if not os.environ.get("LOUD"):
            os.dup2(1, 2)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        outcome = attempt(model_type, name, drawn=drawn)
        os.write(writing, json.dumps(asdict(outcome)).encode())
        os._exit(0)
    os.close(writing)
    content = b""
    while time.monotonic() < start + SECONDS:
        if select.select([reading], [], [], 1)[0]:
            piece = os.read(reading, 1 << 16)
            if not piece:
                break
            content += piece
    os.close(reading)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    seconds = round(time.monotonic() - start, 2)
    if content:
        return Outcome(**json.loads(content) | {"seconds": seconds})
    reason = f"took more than {SECONDS} s" if seconds >= SECONDS else f"process ended with {status}"
    return Outcome(model_type, name, "unrun", reason, seconds=seconds)


def main(wanted: list[str]) -> None:
    warnings.filterwarnings("ignore")
    transformers.logging.set_verbosity_error()
    torch.set_num_threads(1)
    known = classes()
    done = set()
    if not wanted and OUTCOMES.exists():
        for line in OUTCOMES.read_text().splitlines():
            done.add(json.loads(line)["name"])
    OUTCOMES.parent.mkdir(exist_ok=True)
    first_only = os.environ.get("FIRST")
    for model_type in wanted or known:
        for name in known[model_type][: 1 if first_only else None]:
            if name in done:
                continue
            done.add(name)
            # Figures and pages of one class of each type: the others have the same layers.
            outcome = guarded(model_type, name, drawn=bool(wanted) or name == known[model_type][0])
            if wanted:
                print(json.dumps(asdict(outcome)))
            else:
                with OUTCOMES.open("a") as file:
                    file.write(json.dumps(asdict(outcome)) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
