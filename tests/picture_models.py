"""Small random models that read pictures, and pictures drawn by code."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

SMALL = {
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 64,
}


def spread(model: Any) -> Any:
    """The model with weights that make its heads differ, and no token zero."""
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=0.2)
    return model.eval()


def save_picture_model(model_class: Any, config: Any, processor: Any, folder: Path) -> Path:
    """A folder with such a model and its processor, as transformers saves them."""
    spread(model_class(config)).save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def drawn(width: int, height: int) -> Image.Image:
    """Two colours that change along the sides, and a chequered third one: no patch is like
    another."""
    y, x = np.mgrid[0:height, 0:width]
    chequered = ((x // 8 + y // 8) % 2) * 200
    colours = np.stack([x * 255 // width, y * 255 // height, chequered], -1)
    return Image.fromarray(colours.astype(np.uint8))
