"""Put trained models into the package, as bfloat16: `python -m vitral.training.bundle RUNS`.

RUNS holds one folder per model, named as the model, with the run's `model/` and `curve.jsonl`.
The curve is copied as `curve.json`: it is part of the model's card.
"""

import argparse
import json
from pathlib import Path

import torch
from tokenizers import Tokenizer

from vitral.models import hugging_face
from vitral.models.catalog import BUNDLED, bundled_folder


def bundle(run: Path, name: str) -> Path:
    """Copy the finished model of the folder `run` into the package; returns its new folder."""
    model = hugging_face.read(run / "model")
    tokenizer = Tokenizer.from_file(str(run / "model" / "tokenizer.json"))
    folder = bundled_folder(name)
    hugging_face.write(model, tokenizer, folder, dtype=torch.bfloat16)
    lines = (run / "curve.jsonl").read_text(encoding="utf-8").splitlines()
    curve = ",\n".join(json.dumps(json.loads(line)) for line in lines)
    (folder / "curve.json").write_text(f"[\n{curve}\n]\n", encoding="utf-8")
    return folder


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m vitral.training.bundle", description=__doc__)
    parser.add_argument("runs", type=Path, help="the folder that holds the runs")
    runs: Path = parser.parse_args().runs
    for name in BUNDLED:
        if (runs / name / "model").is_dir():
            print(bundle(runs / name, name))


if __name__ == "__main__":
    main()
