"""`vitral attribute`: which tokens of a text put each written token there."""

import json as json_module
import sys
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter
from rich.console import Console
from rich.table import Table
from rich.text import Text

from vitral.cli.opened_or_traced import model_and_source
from vitral.errors import VitralError
from vitral.messages import message

if TYPE_CHECKING:
    from vitral.explain import LogitAttribution
    from vitral.model import Model
    from vitral.tracing import Trace

SECOND: Literal["second"] = "second"


def attribute(
    text: Annotated[str | None, Parameter(help=message("cli.text"))] = None,
    /,
    *,
    model: Annotated[str | None, Parameter(help=message("cli.generate.model"))] = None,
    base: Annotated[str | None, Parameter(help=message("cli.base"))] = None,
    file: Annotated[
        str | None, Parameter(help=message("cli.file"), allow_leading_hyphen=True)
    ] = None,
    max_new_tokens: Annotated[
        int | None, Parameter(help=message("cli.attribute.max_new_tokens"))
    ] = None,
    answer: Annotated[str | None, Parameter(help=message("cli.attribute.answer"))] = None,
    against: Annotated[str | None, Parameter(help=message("cli.attribute.against"))] = None,
    top: Annotated[int, Parameter(help=message("cli.attribute.top"))] = 5,
    json: Annotated[bool, Parameter(help=message("cli.neurons.json"), negative="")] = False,
) -> None:
    """Write a few tokens, or take an answer, and divide its logit among the tokens read."""
    if answer is not None and max_new_tokens is not None:
        raise VitralError("options_clash", first="--answer", second="--max-new-tokens")
    if top < 1:
        raise VitralError("option_invalid", option="--top", value=top, least=1)
    if max_new_tokens is not None and max_new_tokens < 1:
        raise VitralError(
            "option_invalid", option="--max-new-tokens", value=max_new_tokens, least=1
        )
    from vitral.models.catalog import BUNDLED

    opened, source = model_and_source(text, model or BUNDLED[1], file, base)
    if answer is None:
        steps, trace = _written(opened, source, max_new_tokens or 5, against)
    else:
        steps, trace = _answered(opened, source, answer, against)
    if json:
        document = {"model": opened.name, "tokens": [each.text for each in _tokens(trace)]}
        if trace.decoder_tokens:
            document["source_tokens"] = [each.text for each in trace.tokens]
        rows = [_row(opened, each) for each in steps]
        sys.stdout.write(json_module.dumps(document | {"steps": rows}, ensure_ascii=False) + "\n")
        return
    console = Console(highlight=False, soft_wrap=True)
    for step in steps:
        _show(console, opened, trace, step, top)


def _written(
    model: "Model", source: str, count: int, against: str | None
) -> "tuple[list[LogitAttribution], Trace]":
    from vitral.cli.answer_token import answer_token
    from vitral.explain import written_attribution
    from vitral.generation.writing import prompt_of

    trace = model.trace_generation(source, max_new_tokens=count)
    start = len(prompt_of(model.module, model.tokenizer, source).decoder)
    if against is None or against == SECOND:
        found = written_attribution(
            trace, model, start, against=None if against is None else SECOND
        )
        return list(found.steps), trace
    other = answer_token(model, trace, start - 1, against)
    return list(written_attribution(trace, model, start, against=other).steps), trace


def _answered(
    model: "Model", source: str, answer: str, against: str | None
) -> "tuple[list[LogitAttribution], Trace]":
    from vitral.cli.answer_token import answer_token
    from vitral.explain import logit_attribution
    from vitral.explain.written_tokens import second

    trace = model.trace(source)
    chosen = answer_token(model, trace, -1, answer)
    other = None if against == SECOND else answer_token(model, trace, -1, against)
    if against == SECOND and chosen is not None:
        other = second(trace, -1, chosen)
    if other is not None and chosen == other:
        raise VitralError("contrast_same", token=answer)
    return [logit_attribution(trace, model, -1, chosen, against=other)], trace


def _row(model: "Model", step: "LogitAttribution") -> dict[str, Any]:
    from vitral.cli.answer_token import token_name

    cross = step.cross_keys
    return {
        "place": step.token,
        "id": step.id,
        "token": token_name(model, step.id),
        "against": step.against,
        "logit": step.logit,
        "shares": [float(each) for each in step.keys],
        "itself": step.itself,
        **({} if cross is None else {"source_shares": [float(each) for each in cross]}),
    }


def _show(
    console: Console, model: "Model", trace: "Trace", step: "LogitAttribution", top: int
) -> None:
    from vitral.cli.answer_token import token_name

    named = {"token": repr(token_name(model, step.id)), "logit": f"{step.logit:+.3f}"}
    if step.against is None:
        console.print(Text(message("cli.attribute.logit", **named), "bold"))
    else:
        other = repr(token_name(model, step.against))
        console.print(Text(message("cli.attribute.difference", other=other, **named), "bold"))
    shares = [
        (f"{place}", token.text, float(share))
        for row, tokens in (
            (step.keys[: step.token + 1], _tokens(trace)),
            (step.cross_keys, trace.tokens),
        )
        if row is not None
        for place, (token, share) in enumerate(zip(tokens, row, strict=False))
    ]
    shares.sort(key=lambda each: -abs(each[2]))
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(justify="right")
    table.add_column()
    table.add_column(justify="right")
    for place, name, share in shares[:top]:
        table.add_row(place, Text(name), f"{share:+.3f}")
    rest = shares[top:]
    if rest:
        said = message("cli.attribute.rest", count=len(rest))
        table.add_row("", Text(said, "dim"), f"{sum(each[2] for each in rest):+.3f}")
    table.add_row("", Text(message("cli.attribute.itself"), "dim"), f"{step.itself:+.3f}")
    console.print(table)


def _tokens(trace: "Trace") -> list[Any]:
    return trace.decoder_tokens or trace.tokens
