"""The example notebooks run from top to bottom, and say with which model."""

import ast
import os
import shutil
import socket
import subprocess
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "notebooks"
NAMES = ("atencion", "attention")
LAST_LINE = {"atencion": "Modelo: ", "attention": "Model: "}
BETO = "dccuchile/bert-base-spanish-wwm-cased"
FOLDER_NAME = BETO.split("/")[1]
BUNDLED = "vitral-es-bert"
WIDGET = "application/vnd.jupyter.widget-view+json"


def read(name: str) -> NotebookNode:
    return nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)


def code_of(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


@pytest.fixture
def kernels(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """What a notebook's kernel is started with: nothing of the machine's own settings."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "src"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    return monkeypatch


def run(notebook: NotebookNode, folder: Path) -> None:
    """Run all cells; one that fails raises."""
    resources = {"metadata": {"path": str(folder)}}
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources=resources).execute()


def printed(cell: NotebookNode) -> str:
    return "".join(output.text for output in cell.outputs if output.output_type == "stream")


def model_said(name: str, notebook: NotebookNode) -> tuple[str, list[str]]:
    """The model that the first cell says it uses, and the lines before that."""
    *before, last = printed(code_of(notebook)[0]).strip().splitlines()
    assert last.startswith(LAST_LINE[name])
    return last.removeprefix(LAST_LINE[name]).split(" · ")[0], before


@pytest.mark.parametrize("name", NAMES)
def test_it_is_kept_without_outputs(name: str) -> None:
    for cell in code_of(read(name)):
        assert cell.outputs == []
        assert cell.execution_count is None


def test_both_languages_do_the_same() -> None:
    def shape(source: str) -> str:
        tree = ast.parse(source)
        for node in ast.walk(tree):
            if isinstance(node, ast.Name):
                node.id = ""
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                node.value = ""
            elif isinstance(node, ast.ExceptHandler | ast.FunctionDef):
                node.name = ""
            elif isinstance(node, ast.arg):
                node.arg = ""
        return ast.dump(tree)

    spanish, english = (code_of(read(name)) for name in NAMES)
    assert len(spanish) == len(english)
    for one, other in zip(spanish, english, strict=True):
        assert shape(one.source) == shape(other.source)


@pytest.mark.parametrize("name", NAMES)
def test_it_runs_on_the_bundled_model_without_a_network(
    name: str, kernels: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kernels.setenv("HF_HUB_OFFLINE", "1")
    kernels.setenv("HF_HOME", str(tmp_path / "hub"))
    notebook = read(name)
    run(notebook, tmp_path)
    model, before = model_said(name, notebook)
    assert model == BUNDLED
    assert len(before) == 1
    assert BETO in before[0]  # the reason why it is not BETO is said
    shown = [output for cell in code_of(notebook) for output in cell.outputs if "data" in output]
    assert len(shown) == 5
    for output in shown:
        assert WIDGET in output.data
        assert "<table>" in output.data["text/html"]
    for cell in code_of(notebook):
        assert not any(output.output_type == "error" for output in cell.outputs)


def test_its_numbers_are_the_traces(kernels: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import vitral

    kernels.setenv("HF_HUB_OFFLINE", "1")
    kernels.setenv("HF_HOME", str(tmp_path / "hub"))
    notebook = read("attention")
    notebook.cells = [cell for cell in notebook.cells if cell.cell_type == "code"][:4]
    run(notebook, tmp_path)
    model = vitral.load(BUNDLED)
    trace = model.trace("El perro que persiguió al gato cruzó la calle.")
    shown = trace.show()
    first, _, *rest = printed(notebook.cells[3]).splitlines()
    assert first == f"Layer {shown.layer}, head {shown.head}."
    weights = sorted(trace.attention(shown.layer, shown.head)[shown.token].tolist(), reverse=True)
    assert [line.split()[-1] for line in rest[:-1]] == [f"{weight:.4f}" for weight in weights]
    assert rest[-1].split() == ["sum", "1.0000"]


def hub_answers() -> bool:
    try:
        socket.create_connection(("huggingface.co", 443), 5).close()
    except OSError:
        return False
    return os.environ.get("HF_HUB_OFFLINE") != "1"


def test_it_runs_on_beto_where_there_is_a_network(
    kernels: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if not hub_answers():
        pytest.skip("no network: BETO cannot be fetched")
    notebook = read("atencion")
    run(notebook, tmp_path)
    model, before = model_said("atencion", notebook)
    if model != BETO:
        # The hub has pickled weights only: the cell gives the command that converts them.
        _, command = before[0].split("Conviértelo así: ")
        subprocess.run(["bash", "-c", command], cwd=tmp_path, check=True)
        notebook = read("atencion")
        run(notebook, tmp_path)
        model, before = model_said("atencion", notebook)
    assert model in (BETO, FOLDER_NAME), before


def test_it_runs_on_what_lies_in_betos_folder(
    kernels: pytest.MonkeyPatch, tmp_path: Path, bert_folder: Path
) -> None:
    """As after that command; here with a small model in it."""
    kernels.setenv("HF_HUB_OFFLINE", "1")
    shutil.copytree(bert_folder, tmp_path / BETO)
    notebook = read("atencion")
    run(notebook, tmp_path)
    assert model_said("atencion", notebook) == (FOLDER_NAME, [])
    assert "3 capas × 4 cabezas" in printed(code_of(notebook)[0])
