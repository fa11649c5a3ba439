"""Opening models, and what is said of those that cannot be opened."""

import hashlib
import json
import pickle
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import torch
from safetensors.torch import load_file, save_file

import vitral
from parity.random_models import random_model
from vitral.models.load import open_source

IDS = [3, 8, 5, 9]


@pytest.fixture
def bert(bert_folder: Path, tmp_path: Path) -> Path:
    """A copy of the small BERT, to be damaged."""
    return Path(shutil.copytree(bert_folder, tmp_path / "bert"))


@pytest.fixture
def t5(tmp_path: Path) -> Path:
    """A model that transformers reads, as transformers saved it."""
    random_model("t5").save_pretrained(tmp_path / "t5")
    return tmp_path / "t5"


def refused(source: object) -> vitral.VitralError:
    """The error that opening `source` ends in; one line in each language."""
    with pytest.raises(vitral.VitralError) as raised:
        vitral.load(source)
    for language in ("en", "es"):
        assert "\n" not in raised.value.text(language)
    return raised.value


def test_a_folder(bert_folder: Path) -> None:
    model = vitral.load(bert_folder)
    assert (model.name, model.architecture, model.kind) == (
        "small-bert",
        "BertForMaskedLM",
        "encoder",
    )
    assert (model.num_layers, model.num_heads, model.context) == (3, 4, 64)
    assert not model.module.training
    assert vitral.load(str(bert_folder)).name == "small-bert"


def test_our_own_forms_do_without_transformers(llama_folder: Path) -> None:
    code = (
        f"import sys, vitral; vitral.load({str(llama_folder)!r}).trace('El gato').attention(0, 0); "
        "sys.exit('transformers' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_other_forms_are_transformers_own(t5: Path) -> None:
    model = vitral.load(t5)
    assert type(model.module).__name__ == "T5ForConditionalGeneration"
    assert model.tokenizer is None
    expected = vitral.load(random_model("t5")).trace(ids=IDS)
    assert torch.equal(model.trace(ids=IDS)["logits"], expected["logits"])


def test_two_of_transformers_at_once(bart_folder: Path, t5_folder: Path) -> None:
    """As Studio does when it starts with one model and is asked for another."""
    program = (
        "import sys, threading\n"
        "import vitral\n"
        "opened = []\n"
        "def load(folder):\n"
        "    opened.append(vitral.load(folder).architecture)\n"
        "threads = [threading.Thread(target=load, args=(name,)) for name in sys.argv[1:]]\n"
        "for thread in threads: thread.start()\n"
        "for thread in threads: thread.join()\n"
        "print(sorted(opened))\n"
    )
    command = [sys.executable, "-c", program, str(bart_folder), str(t5_folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180)
    assert "['BartForConditionalGeneration', 'T5ForConditionalGeneration']" in done.stdout, (
        done.stderr
    )


def test_weights_in_several_files(tmp_path: Path) -> None:
    random_model("llama").save_pretrained(tmp_path, max_shard_size="20kB")
    assert len(list(tmp_path.glob("*.safetensors"))) > 1
    expected = vitral.load(random_model("llama")).trace(ids=IDS)
    torch.testing.assert_close(vitral.load(tmp_path).trace(ids=IDS)["logits"], expected["logits"])
    next(tmp_path.glob("*.safetensors")).unlink()
    assert refused(tmp_path).key == "weights_damaged"


def test_no_config(tmp_path: Path) -> None:
    error = refused(tmp_path)
    assert error.key == "folder_without_config"
    assert str(tmp_path) in str(error)


@pytest.mark.parametrize("text", ["{", "[]", '"x"', "\udcff"])
def test_damaged_config(bert: Path, text: str) -> None:
    (bert / "config.json").write_bytes(text.encode(errors="surrogateescape"))
    assert refused(bert).key == "config_damaged"


def test_unknown_architecture(t5: Path) -> None:
    config = json.loads((t5 / "config.json").read_text())
    config.update(
        architectures=["CastleOfSand"], model_type="castle", auto_map={"AutoModel": "x.Y"}
    )
    (t5 / "config.json").write_text(json.dumps(config))
    (t5 / "x.py").write_text("raise SystemExit('this must never run')")
    assert refused(t5).key == "architecture_unknown"


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt"])
def test_pickled_weights_are_not_opened(bert: Path, name: str) -> None:
    weights = load_file(bert / "model.safetensors")
    torch.save(weights, bert / name)
    (bert / "model.safetensors").unlink()
    error = refused(bert)
    assert error.key == "weights_pickled"
    command = str(error.values["command"])
    assert command.startswith('python -c "')
    code = command.removeprefix('python -c "').removesuffix('"')
    exec(code, {})  # the advice works
    assert vitral.load(bert).num_layers == 3


def test_a_pickle_runs_nothing(bert: Path, tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Callable[..., None], tuple[str]]:
            return Path.touch, (tmp_path / "sprung",)  # type: ignore[return-value]

    (bert / "pytorch_model.bin").write_bytes(pickle.dumps(Trap()))
    (bert / "model.safetensors").unlink()
    assert refused(bert).key == "weights_pickled"
    assert not (tmp_path / "sprung").exists()


def test_no_weights(bert: Path) -> None:
    (bert / "model.safetensors").unlink()
    assert refused(bert).key == "weights_missing"


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def bad_header(path: Path) -> None:
    path.write_bytes(struct.pack("<Q", 10) + b"not json!!" + path.read_bytes())


def one_missing(path: Path) -> None:
    weights = load_file(path)
    weights.pop(next(name for name in weights if "layer" in name or "block" in name))
    save_file(weights, path, metadata={"format": "pt"})


def wrong_shape(path: Path) -> None:
    weights = load_file(path)
    name = next(name for name in weights if weights[name].dim() == 2)
    weights[name] = weights[name][:, :-1].clone()
    save_file(weights, path, metadata={"format": "pt"})


def not_a_number(path: Path) -> None:
    weights = load_file(path)
    name = next(name for name in weights if weights[name].dim() == 2)
    weights[name][0, 0] = float("nan")
    save_file(weights, path, metadata={"format": "pt"})


@pytest.mark.parametrize("damage", [cut, bad_header, one_missing, wrong_shape, not_a_number])
@pytest.mark.parametrize("family", ["bert", "t5"])
def test_damaged_weights(
    family: str, damage: Callable[[Path], None], request: pytest.FixtureRequest
) -> None:
    folder: Path = request.getfixturevalue(family)
    damage(folder / "model.safetensors")
    error = refused(folder)
    assert error.key == "weights_damaged"
    assert str(folder) in str(error)


def test_an_index_that_points_out_of_the_folder(bert: Path) -> None:
    index = {"weight_map": {"x": "../../etc/model.safetensors"}}
    (bert / "model.safetensors.index.json").write_text(json.dumps(index))
    assert refused(bert).key == "weights_damaged"


def test_damaged_tokenizer(bert: Path) -> None:
    (bert / "tokenizer.json").write_text('{"version": "1.0"')
    assert refused(bert).key == "tokenizer_damaged"


def test_a_vocabulary_without_tokenizer_json(bert: Path) -> None:
    words = json.loads((bert / "tokenizer.json").read_text())["model"]["vocab"]
    (bert / "vocab.txt").write_text("\n".join(sorted(words, key=words.__getitem__)) + "\n")
    (bert / "tokenizer.json").unlink()
    settings = {"tokenizer_class": "BertTokenizer", "do_lower_case": False, "strip_accents": False}
    (bert / "tokenizer_config.json").write_text(json.dumps(settings))
    tokens = vitral.load(bert).tokens("¿Dónde está el gato?")
    assert [token.text for token in tokens if not token.special] == [
        "¿",
        "Dónde",
        "está",
        "el",
        "gato",
        "?",
    ]


@pytest.mark.parametrize("name", ["./nowhere", "/nowhere/at/all", "a b", "", "../x", "ñ", "a/b/c"])
def test_unknown_names(name: str) -> None:
    assert refused(name).key == "model_unknown"


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The hub's client as HF_HUB_OFFLINE=1 and HF_HOME set it up."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


@pytest.mark.parametrize("name", ["gpt2", "someone/some-model"])
def test_a_hub_id_offline(name: str, offline: Path) -> None:
    error = refused(name)
    assert error.key == "hub_unreachable"
    assert name in str(error)


def test_a_hub_model_that_was_fetched_before_opens_offline(bert: Path, offline: Path) -> None:
    cache = offline / "models--someone--some-model"
    shutil.copytree(bert, cache / "snapshots" / "abc")
    (cache / "refs").mkdir()
    (cache / "refs" / "main").write_text("abc")
    assert vitral.load("someone/some-model").name == "someone/some-model"


def test_a_hub_that_does_not_answer(tmp_path: Path) -> None:
    """A port where nobody listens: one line, and no retries without end."""
    code = "import vitral; vitral.load('someone/some-model')"
    environment = {"HF_ENDPOINT": "http://127.0.0.1:9", "HF_HOME": str(tmp_path)}
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60
    )
    assert run.stderr.strip().splitlines()[-1].startswith("vitral.errors.VitralError:")


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """A hub on this machine: it serves the folders in the returned one, as some/<name>."""
    from huggingface_hub import constants

    class Answer(SimpleHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.answer()

        def do_GET(self) -> None:
            self.answer()

        def answer(self) -> None:
            words = self.path.split("?")[0].strip("/").split("/")
            if words[:3] == ["api", "models", "some"] and (tmp_path / words[3]).is_dir():
                files = [{"rfilename": each.name} for each in (tmp_path / words[3]).iterdir()]
                about = {"id": f"some/{words[3]}", "sha": "a" * 40, "siblings": files}
                body = json.dumps(about).encode()
            elif words[0] == "some" and words[2] == "resolve":
                body = (tmp_path / words[1] / words[4]).read_bytes()
            else:
                self.send_response(404)
                self.send_header("X-Error-Code", "RepoNotFound")
                self.end_headers()
                return
            self.send_response(200)
            for name, value in (
                ("Content-Length", str(len(body))),
                ("ETag", f'"{hashlib.sha256(body).hexdigest()}"'),
                ("X-Repo-Commit", "a" * 40),
            ):
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = Thread(target=server.serve_forever)
    thread.start()
    address = f"http://127.0.0.1:{server.server_port}"
    template = constants.HUGGINGFACE_CO_URL_TEMPLATE.replace(constants.ENDPOINT, address)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(constants, "ENDPOINT", address)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    yield tmp_path
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_hub_model(bert: Path, hub: Path) -> None:
    (bert / "onnx.bin").touch()
    model = vitral.load("some/bert")
    assert model.name == "some/bert"
    assert model.tokens("El gato")[1].text == "El"
    assert not list((hub / "cache").rglob("onnx.bin")), "only what is needed is fetched"


def test_hub_models_that_cannot_be_opened(bert: Path, hub: Path) -> None:
    assert refused("some/thing").key == "model_unknown"
    (bert / "model.safetensors").rename(bert / "pytorch_model.bin")
    error = refused("some/bert")
    assert error.key == "weights_pickled"
    assert str(error.values["command"]).startswith("hf download some/bert")
    (bert / "config.json").unlink()
    assert refused("some/bert").key == "folder_without_config"
    assert not list((hub / "cache").rglob("*.bin"))


def test_bundled_models_are_opened_by_name(
    bert_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vitral.models import load

    monkeypatch.setattr(load, "bundled", lambda: ["vitral-es-bert"])
    monkeypatch.setattr(load, "bundled_folder", lambda name: bert_folder)
    assert open_source("vitral-es-bert").name == "vitral-es-bert"
    assert "vitral-es-bert" in str(refused("./nowhere"))


def test_what_is_no_source() -> None:
    with pytest.raises(TypeError):
        vitral.load(42)
