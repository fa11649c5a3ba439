"""`vitral generate`: continue a text and print it as it comes, as JSON, or with its trace."""

import json as json_module
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter
from rich.console import Console
from rich.text import Text

from vitral.cli.new_file import NewFile
from vitral.cli.source_text import source_text
from vitral.errors import VitralError
from vitral.messages import message
from vitral.text.control_signs import visible

if TYPE_CHECKING:
    from vitral.model import Model


def generate(
    text: Annotated[str | None, Parameter(help=message("cli.text"))] = None,
    /,
    *,
    model: Annotated[str | None, Parameter(help=message("cli.generate.model"))] = None,
    base: Annotated[str | None, Parameter(help=message("cli.base"))] = None,
    file: Annotated[
        str | None, Parameter(help=message("cli.file"), allow_leading_hyphen=True)
    ] = None,
    max_new_tokens: Annotated[int, Parameter(help=message("cli.generate.max_new_tokens"))] = 50,
    temperature: Annotated[
        float, Parameter(help=message("cli.generate.temperature"), allow_leading_hyphen=True)
    ] = 0.0,
    top_k: Annotated[int | None, Parameter(help=message("cli.generate.top_k"))] = None,
    top_p: Annotated[float | None, Parameter(help=message("cli.generate.top_p"))] = None,
    min_p: Annotated[float | None, Parameter(help=message("cli.generate.min_p"))] = None,
    repetition_penalty: Annotated[
        float | None, Parameter(help=message("cli.generate.repetition_penalty"))
    ] = None,
    seed: Annotated[int | None, Parameter(help=message("cli.generate.seed"))] = None,
    stop: Annotated[
        tuple[str, ...], Parameter(help=message("cli.generate.stop"), negative="")
    ] = (),
    beams: Annotated[int | None, Parameter(help=message("cli.generate.beams"))] = None,
    length_penalty: Annotated[
        float | None, Parameter(help=message("cli.generate.length_penalty"))
    ] = None,
    chat: Annotated[bool, Parameter(help=message("cli.generate.chat"), negative="")] = False,
    system: Annotated[str | None, Parameter(help=message("cli.generate.system"))] = None,
    window: Annotated[bool, Parameter(help=message("cli.generate.window"), negative="")] = False,
    json: Annotated[bool, Parameter(help=message("cli.trace.json"), negative="")] = False,
    save: Annotated[Path | None, Parameter(help=message("cli.generate.save"))] = None,
    overwrite: Annotated[bool, Parameter(help=message("cli.trace.overwrite"), negative="")] = False,
) -> None:
    """Continue a text with a decoder, or answer it with an encoder–decoder."""
    source = source_text(text, file)
    chosen: dict[str, Any] = {
        "max_new_tokens": max_new_tokens,
        "temperature": temperature,
        "top_k": top_k,
        "top_p": top_p,
        "min_p": min_p,
        "repetition_penalty": repetition_penalty,
        "seed": seed,
        "stop": stop,
        "num_beams": beams,
        "length_penalty": length_penalty,
        "windowed": window,
    }
    clashes = {"--stop": bool(stop), "--window": window, "--beams": beams is not None}
    for option, given in clashes.items():
        if save is not None and given:
            raise VitralError("options_clash", first="--save", second=option)
    if system is not None and not chat:
        raise VitralError("option_needs", option="--system", needed="--chat")
    target = NewFile(save, overwrite) if save is not None else None
    _check(chosen)
    import vitral
    from vitral.models.catalog import BUNDLED

    writer = vitral.load(model or BUNDLED[1], base=base)
    before = _before(writer, source)
    if chat:
        from vitral.generation.writer import CONVERSATION

        first = [] if system is None else [{"role": "system", "content": system}]
        source = writer.conversation([*first, {"role": "user", "content": source}])
        chosen |= CONVERSATION
        before = ""
    if target is not None:
        trace = writer.trace_generation(source, **chosen)
        target.write(trace.save)
        ids = [token.id for token in trace.decoder_tokens]
        answer = writer.tokenizer.decode(ids, skip_special_tokens=True)
        pieces = iter([answer if ids else (trace.text or "")[len(source) :]])
    elif beams is not None:
        written = writer.generate(source, **chosen)
        pieces = iter([written.removeprefix(_before(writer, source))])
    else:
        pieces = writer.stream(source, **chosen)
    if json:
        document = {"model": writer.name, "text": source, "written": "".join(pieces)}
        sys.stdout.write(json_module.dumps(document, ensure_ascii=False) + "\n")
    else:
        _show(before, pieces)
    if target is not None:
        note = message("cli.trace.saved", path=target.path)
        Console(stderr=json, highlight=False, soft_wrap=True).print(Text(note))


FLAGS = {"num_beams": "--beams", "windowed": "--window"}
"""Options that are called otherwise in Python."""


def _check(chosen: dict[str, Any]) -> None:
    """Refuse options that exclude one another, by their names on the command line."""
    from vitral.generation.options import GenerationOptions

    try:
        GenerationOptions(**chosen)
    except VitralError as error:
        named = {
            name: FLAGS.get(value, "--" + value.replace("_", "-"))
            for name, value in error.values.items()
            if isinstance(value, str) and value.split()[0] in chosen
        }
        raise VitralError(error.key, **error.values | named) from None


def _before(writer: "Model", source: str) -> str:
    """What precedes the written text: the text that a decoder continues."""
    return "" if writer.kind == "encoder-decoder" else source


def _show(before: str, pieces: Iterator[str]) -> None:
    """Print the text as it is written. Nothing is printed before the first piece is there, so
    that a mistake in the options stays one line."""
    first = next(pieces, "")
    sys.stdout.write(visible(before))
    for piece in chain([first], pieces):
        sys.stdout.write(visible(piece))
        sys.stdout.flush()
    sys.stdout.write("\n")
