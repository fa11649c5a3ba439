"""`torchrun … -m vitral train`: the program itself in two processes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import yaml
from tests.training.small_runs import books, recipe

import vitral

TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]


def train(program: list[str], folder: Path, *arguments: str) -> str:
    """What the program says to standard output, when all goes well."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "VITRAL_LANGUAGE": "en"}
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"):
        environment.pop(name, None)
    done = subprocess.run(
        [*program, "-m", "vitral", "train", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def looks(run: Path) -> list[dict[str, float]]:
    lines = (run / "curve.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_two_processes_train_and_one_goes_on(tmp_path: Path) -> None:
    books(tmp_path / "books")
    made = recipe("llama", name="dos").model_dump(mode="json", exclude_none=True)
    (tmp_path / "dos.yaml").write_text(yaml.safe_dump(made), encoding="utf-8")
    begin = ["books", "--recipe", "dos.yaml", "--out", "two", "--device", "cpu"]
    said = train(TORCHRUN, tmp_path, *begin, "--parallel", "sharded")
    assert said.count("two/model. Next, you can run:") == 1  # the leader alone talks
    assert [look["step"] for look in looks(tmp_path / "two")] == [4, 8]
    assert vitral.load(tmp_path / "two" / "model").kind == "decoder"
    said = train([sys.executable], tmp_path, "--out", "two", "--steps", "12", "--device", "cpu")
    assert [look["step"] for look in looks(tmp_path / "two")] == [4, 8, 12]
    assert (
        looks(tmp_path / "two")[-1]["held_out_loss"] < looks(tmp_path / "two")[0]["held_out_loss"]
    )
