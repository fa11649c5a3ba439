"""`vitral tokenizer train`: train a tokenizer on your own text."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console
from rich.text import Text

from vitral.errors import VitralError
from vitral.messages import message


def train(
    *sources: Annotated[str, Parameter(help=message("cli.tokenizer.sources"))],
    out: Annotated[Path, Parameter(help=message("cli.tokenizer.out"))],
    kind: Annotated[str, Parameter(help=message("cli.tokenizer.kind"))] = "byte_bpe",
    vocab_size: Annotated[int, Parameter(help=message("cli.tokenizer.vocab_size"))] = 8192,
    cleaning: Annotated[str, Parameter(help=message("cli.tokenizer.cleaning"))] = "prose",
    text_field: Annotated[str, Parameter(help=message("cli.tokenizer.text_field"))] = "text",
    overwrite: Annotated[
        bool, Parameter(help=message("cli.tokenizer.overwrite"), negative="")
    ] = False,
) -> None:
    """Train a tokenizer on texts and write it to a folder that transformers opens, too."""
    from vitral.cli.tokenizer_texts import check_sources
    from vitral.data.corpus import read_documents
    from vitral.text.tokenizer_folder import FILE, save_tokenizer
    from vitral.text.tokenizers import train_tokenizer

    chosen = check_sources(sources, cleaning)
    if (out / FILE).exists() and not overwrite:
        raise VitralError("file_exists", path=out / FILE)
    documents = read_documents(sources, text_field=text_field, cleaning=chosen)
    console = Console(highlight=False, soft_wrap=True)
    with console.status(message("cli.tokenizer.training", kind=kind)):
        texts = (document.text for document in documents)
        tokenizer = train_tokenizer(texts, kind, vocab_size)
    save_tokenizer(tokenizer, out)
    console.print(
        Text(message("cli.tokenizer.done", size=tokenizer.get_vocab_size(), kind=kind, folder=out))
    )
