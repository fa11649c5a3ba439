"""`vitral neurons`: the strongest neurons of the feed-forward parts, or the tokens of one."""

import json as json_module
import sys
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter
from rich.console import Console
from rich.table import Table
from rich.text import Text

from vitral.cli.opened_or_traced import model_and_source
from vitral.errors import VitralError
from vitral.messages import message

if TYPE_CHECKING:
    from vitral.explain import Neuron
    from vitral.model import Model
    from vitral.tracing import Trace

PROMOTED = 5
"""Tokens named beside a neuron."""


def neurons(
    text: Annotated[str | None, Parameter(help=message("cli.text"))] = None,
    /,
    *,
    model: Annotated[str | None, Parameter(help=message("cli.generate.model"))] = None,
    base: Annotated[str | None, Parameter(help=message("cli.base"))] = None,
    file: Annotated[
        str | None, Parameter(help=message("cli.file"), allow_leading_hyphen=True)
    ] = None,
    layer: Annotated[int | None, Parameter(help=message("cli.neurons.layer"))] = None,
    neuron: Annotated[int | None, Parameter(help=message("cli.neurons.neuron"))] = None,
    token: Annotated[
        int, Parameter(help=message("cli.neurons.position"), allow_leading_hyphen=True)
    ] = -1,
    answer: Annotated[str | None, Parameter(help=message("cli.neurons.answer"))] = None,
    against: Annotated[str | None, Parameter(help=message("cli.neurons.against"))] = None,
    top: Annotated[int, Parameter(help=message("cli.neurons.top"))] = 10,
    json: Annotated[bool, Parameter(help=message("cli.neurons.json"), negative="")] = False,
) -> None:
    """Show the neurons with the largest effect on an answer, or where one of them is active."""
    if neuron is not None and layer is None:
        raise VitralError("option_needs", option="--neuron", needed="--layer")
    for option, value in (("--answer", answer), ("--against", against)):
        if neuron is not None and value is not None:
            raise VitralError("options_clash", first="--neuron", second=option)
    if top < 1:
        raise VitralError("option_invalid", option="--top", value=top, least=1)
    from vitral.cli.answer_token import answer_token, token_name
    from vitral.models.catalog import BUNDLED

    opened, source = model_and_source(text, model or BUNDLED[1], file, base)
    trace = opened.trace(source, record="*")
    from vitral.explain import logit_attribution, promoted, strongest_neurons, strongest_tokens

    if neuron is not None and layer is not None:
        found = strongest_tokens(trace, layer, neuron, top)
        ids = [number for number, _ in promoted(trace, opened, layer, neuron, PROMOTED)]
        names = [token_name(opened, number) for number in ids]
        _show_one(trace, layer, neuron, found, names, opened.name, as_json=json)
        return
    chosen = answer_token(opened, trace, token, answer)
    other = answer_token(opened, trace, token, against)
    asked = logit_attribution(trace, opened, token, chosen, against=other)
    found = strongest_neurons(
        trace,
        opened,
        token,
        asked.id,
        against=other,
        layers=None if layer is None else [layer],
        count=top,
    )
    rows = [_row(trace, opened, each) for each in found]
    after = _named(trace, asked.token)
    if json:
        document = {"model": opened.name, "token": asked.token, "answer": asked.id}
        _print(document | {"against": other, "logit": asked.logit, "neurons": rows})
        return
    told = repr(token_name(opened, asked.id))
    told = told if other is None else f"{told} − {token_name(opened, other)!r}"
    console = Console(highlight=False, soft_wrap=True)
    console.print(Text(message("cli.neurons.heading", answer=told, token=after)))
    table = Table(box=None, pad_edge=False, header_style="bold")
    for key in ("layer_column", "neuron_column", "activation", "effect"):
        table.add_column(message(f"cli.neurons.{key}"), justify="right")
    table.add_column(message("cli.neurons.raises"))
    for row in rows:
        numbers = (f"{row['activation']:+.3f}", f"{row['effect']:+.3f}")
        raised = Text(" ".join(map(repr, row["promotes"])), "dim")
        table.add_row(str(row["layer"]), str(row["neuron"]), *numbers, raised)
    Console(highlight=False).print(table)


def _row(trace: "Trace", model: "Model", neuron: "Neuron") -> dict[str, Any]:
    from vitral.cli.answer_token import token_name
    from vitral.explain import promoted

    negative = neuron.activation < 0
    best = promoted(trace, model, neuron.layer, neuron.number, PROMOTED, negative=negative)
    return {
        "layer": neuron.layer,
        "neuron": neuron.number,
        "activation": neuron.activation,
        "effect": neuron.effect,
        "promotes": [token_name(model, number) for number, _ in best],
    }


def _show_one(
    trace: "Trace",
    layer: int,
    neuron: int,
    found: "list[Neuron]",
    promotes: list[str],
    model: str,
    *,
    as_json: bool,
) -> None:
    if as_json:
        tokens = [
            {"token": each.token, "text": _named(trace, each.token), "activation": each.activation}
            for each in found
        ]
        document = {"model": model, "layer": layer, "neuron": neuron}
        _print(document | {"tokens": tokens, "promotes": promotes})
        return
    console = Console(highlight=False, soft_wrap=True)
    console.print(Text(message("cli.neurons.of_one", layer=layer, neuron=neuron)))
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("", justify="right")
    table.add_column(message("cli.neurons.token_column"))
    table.add_column(message("cli.neurons.activation"), justify="right")
    for each in found:
        table.add_row(str(each.token), Text(_named(trace, each.token)), f"{each.activation:+.3f}")
    console.print(table)
    console.print(Text(message("cli.neurons.promotes", tokens=" ".join(map(repr, promotes)))))


def _named(trace: "Trace", token: int) -> str:
    tokens = trace.decoder_tokens or trace.tokens
    return tokens[token].text


def _print(document: dict[str, Any]) -> None:
    sys.stdout.write(json_module.dumps(document, ensure_ascii=False) + "\n")
