"""A picture's trace: tokens at their patches, the picture as the model saw it, exact patterns."""

import numpy as np
import pytest
import torch
import transformers
from PIL import Image

import vitral
from picture_models import FAMILIES, SMALL, drawn, picture_model, processor, spread
from vitral.errors import VitralError
from vitral.surfaces.picture import PictureSurface
from vitral.surfaces.place import Patch
from vitral.vision.patch_layout import patch_layout
from vitral.vision.processor import see


def pixels_shown(surface: PictureSurface) -> np.ndarray:
    import io

    return np.asarray(Image.open(io.BytesIO(surface.png)))


@pytest.mark.parametrize("family", FAMILIES)
def test_every_patch_has_its_token(family) -> None:
    model = picture_model(family)
    trace = vitral.load((model, processor())).trace(drawn(90, 60))
    _, _, _, (rows, columns), beside = FAMILIES[family]
    assert isinstance(trace.surface, PictureSurface)
    assert (trace.surface.rows, trace.surface.columns) == (rows, columns)
    assert [token.text for token in trace.tokens if token.place is None] == beside
    assert all(token.special == (token.place is None) for token in trace.tokens)
    patches = [token for token in trace.tokens if isinstance(token.place, Patch)]
    named = [f"{row},{column}" for row in range(rows) for column in range(columns)]
    assert [token.text for token in patches] == named
    assert patches[columns + 2].place == Patch(1, 2, 16, 8, 24, 16)
    assert trace.surface.notes == ()


@pytest.mark.parametrize("family", ["vit", "dinov2_with_registers", "clip"])
def test_patterns_are_the_eager_ones(family) -> None:
    model = picture_model(family)
    made = processor()
    trace = vitral.load((model, made)).trace(drawn(90, 60))
    model.set_attn_implementation("eager")
    pixels = made(drawn(90, 60), return_tensors="pt")["pixel_values"]
    with torch.no_grad():
        expected = model(pixel_values=pixels, output_attentions=True).attentions
    assert len(expected) == trace.num_layers == 3
    for layer, pattern in enumerate(expected):
        rebuilt = trace[f"layers.{layer}.attention.pattern"]
        torch.testing.assert_close(rebuilt, pattern[0], atol=1e-5, rtol=0)


def test_a_traced_run_is_the_untraced_one() -> None:
    model, made = picture_model("vit"), processor()
    pixels = made(drawn(90, 60), return_tensors="pt")["pixel_values"]
    with torch.no_grad():
        untraced = model(pixel_values=pixels).last_hidden_state[0]
    trace = vitral.load((model, made)).trace(drawn(90, 60))
    assert torch.equal(trace["output"], untraced)


class Shuffled(torch.nn.Module):
    """A model whose patches change places at every run: none of them can be placed."""

    def __init__(self, model) -> None:
        super().__init__()
        self.model, self.config = model, model.config
        self.main_input_name = "pixel_values"

    def forward(self, pixel_values):
        order = torch.randperm(pixel_values.shape[2])
        return self.model(pixel_values[:, :, order])


@pytest.mark.parametrize("kind", ["swin", "mae", "shuffled"])
def test_what_cannot_be_placed_has_no_place_and_says_so(kind, caplog) -> None:
    if kind == "swin":
        sizes = {"embed_dim": 16, "depths": [1, 1], "num_heads": [2, 2], "window_size": 4}
        config = transformers.SwinConfig(image_size=32, patch_size=2, **sizes)
        model = spread(transformers.SwinModel(config))
    elif kind == "mae":
        config = transformers.ViTMAEConfig(image_size=32, patch_size=8, mask_ratio=0.0, **SMALL)
        model = spread(transformers.ViTMAEModel(config))
    else:
        model = Shuffled(picture_model("vit"))
    trace = vitral.load((model, processor())).trace(drawn(90, 60))
    assert all(token.place is None for token in trace.tokens)
    assert (trace.surface.rows, trace.surface.notes) == (0, ("no_places",))
    assert len(caplog.records) == 1


def test_what_mixes_neighbours_is_not_placed() -> None:
    model = picture_model("vit")
    projection = model.embeddings.patch_embeddings.projection
    mixing = torch.nn.Sequential(torch.nn.Conv2d(3, 3, 3, padding=1), projection)
    torch.manual_seed(0)
    model.embeddings.patch_embeddings.projection = mixing
    assert patch_layout(model, torch.rand(1, 3, 32, 32)) is None


def test_measuring_the_layout_leaves_the_model_as_it_was() -> None:
    model = picture_model("vit").train()
    hooks = [len(part._forward_pre_hooks) for part in model.modules()]
    assert patch_layout(model, torch.rand(1, 3, 32, 32)) is not None
    assert model.training
    assert [len(part._forward_pre_hooks) for part in model.modules()] == hooks


@pytest.mark.parametrize(
    ("made", "box"),
    [
        (processor(), (0.0, 0.0, 90.0, 60.0)),
        (
            transformers.BitImageProcessorPil(
                size={"shortest_edge": 40}, crop_size={"height": 32, "width": 32}
            ),
            (21.0, 6.0, 69.0, 54.0),
        ),
    ],
    ids=["resized", "cropped"],
)
def test_the_surface_shows_what_the_model_saw_and_where_it_was(made, box) -> None:
    model = vitral.load((picture_model("vit"), made))
    trace = model.trace(drawn(90, 60))
    surface = trace.surface
    assert surface.original == (90, 60)
    assert surface.seen == pytest.approx(box)
    pixels = made(drawn(90, 60), return_tensors="pt")["pixel_values"][0]
    shown = pixels_shown(surface).astype(np.float32) / 255
    expected = (shown - np.array(made.image_mean)) / np.array(made.image_std)
    np.testing.assert_allclose(pixels.numpy(), np.moveaxis(expected, -1, 0), atol=1e-5)


def test_a_processor_that_makes_no_single_picture_is_refused() -> None:
    class Pieces:
        model_input_names = ("pixel_values",)

        def __call__(self, image, return_tensors, **options):
            return {"pixel_values": torch.zeros(1, 5, 3, 32, 32)}

    with pytest.raises(VitralError) as raised:
        vitral.load((picture_model("vit"), Pieces())).trace(drawn(90, 60))
    assert raised.value.key == "processor_unfit"


def test_numbers_that_are_not_the_colours_shown_are_refused() -> None:
    class Sharpened:
        def __call__(self, image, return_tensors, **options):
            values = processor()(image, return_tensors="pt", **options)["pixel_values"]
            return {"pixel_values": values if options else values**2}

    from vitral.vision.picture_file import read_picture

    with pytest.raises(VitralError) as raised:
        see(Sharpened(), read_picture(drawn(90, 60)), "modelo")
    assert raised.value.key == "processor_unfit"


def test_a_size_that_the_model_does_not_take_is_one_line() -> None:
    with pytest.raises(VitralError) as raised:
        vitral.load((picture_model("vit"), processor(40))).trace(drawn(90, 60))
    assert raised.value.key == "picture_size_unfit"
    assert raised.value.values["width"] == 40


def test_a_folder_opens_with_its_processor(vit_folder, picture_file) -> None:
    model = vitral.load(vit_folder)
    assert (model.reads, model.kind) == ("picture", "image")
    trace = model.trace(picture_file)
    assert (trace.surface.name, trace.text) == ("foto.png", None)
    again = model.trace(str(picture_file))
    assert torch.equal(trace.attention(1, 2), again.attention(1, 2))
    painted = trace.surface.paint([t.place for t in trace.tokens], trace.attention(1, 2)[0])
    assert painted.shape == (4, 4)
    np.testing.assert_allclose(painted.ravel(), trace.attention(1, 2)[0][1:].numpy(), atol=1e-7)


def test_texts_and_pictures_go_to_their_own_models(vit_folder, bert_folder, picture_file) -> None:
    reader, seer = vitral.load(bert_folder), vitral.load(vit_folder)
    for source in (picture_file, drawn(8, 8), np.zeros((8, 8, 3), np.uint8)):
        with pytest.raises(VitralError) as raised:
            reader.trace(source)
        assert raised.value.key == "picture_to_text_model"
    with pytest.raises(VitralError) as raised:
        seer.trace("El gato duerme.")
    assert raised.value.key == "picture_missing"
    for ask in (seer.tokens, seer.evaluate, seer.forecast, lambda text: seer.trace(texts=[text])):
        with pytest.raises(VitralError) as raised:
            ask("El gato duerme.")
        assert raised.value.key in ("text_to_picture_model", "tokenizer_missing")


def test_a_folder_without_processor_or_with_a_damaged_one(vit_folder, tmp_path) -> None:
    import shutil

    folder = tmp_path / "sin"
    shutil.copytree(vit_folder, folder)
    (folder / "preprocessor_config.json").unlink()
    with pytest.raises(VitralError) as raised:
        vitral.load(folder).trace(drawn(90, 60))
    assert raised.value.key == "processor_missing"
    (folder / "preprocessor_config.json").write_text("{", encoding="utf-8")
    with pytest.raises(VitralError) as raised:
        vitral.load(folder)
    assert raised.value.key == "processor_damaged"


def test_a_saved_trace_keeps_its_picture(vit_folder, picture_file, tmp_path) -> None:
    trace = vitral.load(vit_folder).trace(picture_file)
    trace.save(tmp_path / "foto.vitral")
    again = vitral.open_trace(tmp_path / "foto.vitral")
    assert again.surface == trace.surface
    assert again.tokens == trace.tokens
    assert torch.equal(again.attention(2, 3), trace.attention(2, 3))
    assert "surface" not in again.addresses()


def test_a_text_keeps_the_version_that_older_vitrals_read(bert_folder, tmp_path) -> None:
    trace = vitral.load(bert_folder).trace("El gato duerme.")
    trace.save(tmp_path / "texto.vitral")
    content = (tmp_path / "texto.vitral").read_bytes()
    assert b'\\"version\\": 1' in content
    assert b"surface" not in content
    again = vitral.open_trace(tmp_path / "texto.vitral")
    assert again.surface == trace.surface
    assert again.surface.title == "El gato duerme."
    assert again.query_surface() is again.key_surface() is again.surface
