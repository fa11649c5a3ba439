"""Small random models that read pictures, and pictures drawn by code."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from PIL import Image

SMALL = {
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 64,
}
_OF_DINO = {key: value for key, value in SMALL.items() if key != "intermediate_size"}

FAMILIES: dict[str, tuple[str, str, dict[str, Any], tuple[int, int], list[str]]] = {
    "vit": (
        "ViTModel",
        "ViTConfig",
        SMALL | {"image_size": 32, "patch_size": 8},
        (4, 4),
        ["[CLS]"],
    ),
    "deit": (
        "DeiTModel",
        "DeiTConfig",
        SMALL | {"image_size": 32, "patch_size": 8},
        (4, 4),
        ["[CLS]", "[DIST]"],
    ),
    "dinov2": (
        "Dinov2Model",
        "Dinov2Config",
        _OF_DINO | {"image_size": 28, "patch_size": 8},
        (4, 4),
        ["[CLS]"],
    ),
    "dinov2_with_registers": (
        "Dinov2WithRegistersModel",
        "Dinov2WithRegistersConfig",
        _OF_DINO | {"image_size": 28, "patch_size": 8, "num_register_tokens": 4},
        (4, 4),
        ["[CLS]", "[REG 0]", "[REG 1]", "[REG 2]", "[REG 3]"],
    ),
    "clip": (
        "CLIPVisionModel",
        "CLIPVisionConfig",
        SMALL | {"image_size": 32, "patch_size": 8},
        (4, 4),
        ["[CLS]"],
    ),
    "beit": (
        "BeitModel",
        "BeitConfig",
        SMALL | {"image_size": 32, "patch_size": 8},
        (4, 4),
        ["[CLS]"],
    ),
    "siglip": (
        "SiglipVisionModel",
        "SiglipVisionConfig",
        SMALL | {"image_size": 32, "patch_size": 8},
        (4, 4),
        [],
    ),
    "yolos": (
        "YolosModel",
        "YolosConfig",
        SMALL | {"image_size": [32, 32], "patch_size": 8, "num_detection_tokens": 2},
        (4, 4),
        ["[CLS]", "[DET 0]", "[DET 1]"],
    ),
}
"""Class, configuration, sizes; the grid of a picture of 32 × 32; the tokens that are no patch."""


def spread(model: Any) -> Any:
    """The model with weights that make its heads differ."""
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.normal_(std=0.3)
    return model.eval()


def picture_model(family: str) -> Any:
    """A random model of a family."""
    model_class, config_class, sizes, *_ = FAMILIES[family]
    config = getattr(transformers, config_class)(**sizes)
    return spread(getattr(transformers, model_class)(config))


def processor(size: int = 32) -> Any:
    """ViT's image processor: resizes to a square."""
    return transformers.ViTImageProcessorPil(size={"height": size, "width": size})


def save_picture_model(model: Any, processor: Any, folder: Path) -> Path:
    """A folder with such a model and its processor, as transformers saves them."""
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def drawn(width: int, height: int) -> Image.Image:
    """Two colours that change along the sides, and a chequered third one: no patch is like
    another."""
    y, x = np.mgrid[0:height, 0:width]
    chequered = ((x // 8 + y // 8) % 2) * 200
    colours = np.stack([x * 255 // width, y * 255 // height, chequered], -1)
    return Image.fromarray(colours.astype(np.uint8))
