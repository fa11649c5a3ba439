"""The formats that a model can be written in, by name."""

from vitral.errors import VitralError

FORMATS = {"gguf": ("f32", "f16", "bf16", "q8_0")}
"""Each format's precisions. GGUF stores tables of numbers as they are; in 16 bits; or in blocks of
32 numbers with 8 bits each and one scale (8.5 bits per number)."""


def check(to: str, precision: str) -> None:
    """Raises VitralError `export_format` or `precision_unknown`."""
    if to not in FORMATS:
        raise VitralError("export_format", format=to, known=", ".join(FORMATS))
    if precision not in FORMATS[to]:
        known = ", ".join(FORMATS[to])
        raise VitralError("precision_unknown", precision=precision, known=known)
