"""`vitral models`: the models that come with the package."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from vitral.messages import message, preferred_language


def models() -> None:
    """List the bundled models, and say how to open others."""
    from vitral.studio.catalog.model_catalog import ModelCatalog

    catalog = ModelCatalog()
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(message("cli.models.name"), no_wrap=True)
    table.add_column(message("cli.models.kind"))
    for key in ("layers", "heads", "context"):
        table.add_column(message(f"cli.models.{key}"), justify="right")
    table.add_column(message("cli.models.architecture"))
    for model in catalog.descriptions(preferred_language()):
        name = Text(model.name, "bold" if model.name == catalog.default else "")
        numbers = (model.num_layers, model.num_heads, model.context or "")
        table.add_row(
            name,
            message(f"cli.models.kind.{model.kind}"),
            *(str(number) for number in numbers),
            model.architecture,
        )
    console = Console(highlight=False)
    console.print(table)
    console.print()
    console.print(Text(message("cli.models.others", default=catalog.default)))
