"""Documents of a Parquet file, one a row, read a thousand rows at a time."""

from collections.abc import Iterator
from pathlib import Path

from vitral.errors import VitralError

_ROWS = 1024


def read_parquet(path: Path, name: str, text_field: str) -> Iterator[tuple[str, str]]:
    """Name and text of each row, named `name:17` by its number, from 1; rows whose text is null
    are left out.

    Raises VitralError: `parquet_needed` where PyArrow is not installed, `file_unreadable`,
    `dataset_field` where there is no such column of text.
    """
    try:
        import pyarrow as arrow
        import pyarrow.parquet as parquet
    except ImportError:
        raise VitralError("parquet_needed", path=path) from None
    number = 0
    try:
        with parquet.ParquetFile(path) as file:
            columns = list(file.schema_arrow.names)
            column = file.schema_arrow.field(text_field).type if text_field in columns else None
            if column not in (arrow.string(), arrow.large_string(), arrow.string_view()):
                known = ", ".join(columns)
                raise VitralError("dataset_field", source=path, field=text_field, known=known)
            for batch in file.iter_batches(_ROWS, columns=[text_field]):
                for text in batch.column(0).to_pylist():
                    number += 1
                    if text is not None:
                        yield f"{name}:{number}", text
    except (arrow.ArrowException, OSError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise VitralError("file_unreadable", path=path, reason=reason) from error
