"""Something to read for any model: what its forward asks for, made up by name.

Nothing here knows a model. `candidates` gives sets of inputs, the fullest first; whoever runs the
model takes the first that it accepts.
"""

import inspect
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

LENGTH, TARGET, PADDED = 12, 6, 3


def candidates(model: nn.Module) -> Iterator[dict[str, Any]]:
    """Sets of inputs for `model`, each less complete than the one before."""
    torch.manual_seed(1)
    accepted = inspect.signature(model.forward).parameters
    main = getattr(model, "main_input_name", "input_ids")
    required = {
        name
        for name, each in accepted.items()
        if each.default is inspect.Parameter.empty
        and each.kind not in (each.VAR_KEYWORD, each.VAR_POSITIONAL)
    }
    seen: list[set[str]] = []
    pixels = [name for name in ("pixel_values", "pixel_values_videos") if name in accepted]
    sounds = [name for name in ("input_features", "input_values") if name in accepted]
    texts = [name for name in ("input_ids",) if name in accepted]
    aided = {"query_embeds", "encoder_hidden_states"} if "query_embeds" in accepted else set()
    required |= aided
    targets = [
        name
        for name in ("decoder_input_ids", "decoder_input_values", "bbox", "lengths")
        if name in accepted and not (name == "decoder_input_ids" and not _has_decoder(model))
    ]
    known = {*pixels[:1], *sounds[:1], *texts, *targets}
    plans: list[set[str]] = [
        {*texts, *pixels[:1], *targets, "attention_mask", *required},
        {*texts, *pixels[:1], *targets, *required},
        {*texts, *targets, "attention_mask", *required},
        {*texts, *targets, *required},
        {main, *targets, "attention_mask", *required},
        {main, *targets, *required},
        {main, *required},
        {*sounds[:1], *targets, *required},
        {*sounds[:1], *texts, *targets, *required},
        {*pixels[:1], *required},
        {*pixels[1:2], *required},
        {*texts},
        known | required,
    ]
    for plan in plans:
        names = {name for name in plan if name in accepted or name == main}
        if not names - {"attention_mask"} or names in seen:
            continue
        seen.append(names)
        for variant in range(6 if names & {*pixels, *sounds} else 1):
            inputs = {name: _value(name, model, names, variant) for name in sorted(names)}
            if all(value is not None for value in inputs.values()):
                if "use_cache" in accepted:
                    inputs["use_cache"] = False
                yield inputs


def _has_decoder(model: nn.Module) -> bool:
    return bool(getattr(model.config, "is_encoder_decoder", False))


def find(config: Any, *names: str, default: Any = None) -> Any:
    """The first entry of one of those names, in the configuration or in one inside it."""
    for name in names:
        value = getattr(config, name, None)
        if value is not None and not hasattr(value, "to_dict"):
            return value
    for value in vars(config).values():
        if hasattr(value, "to_dict"):
            found = find(value, *names)
            if found is not None:
                return found
    return default


def _size(config: Any) -> tuple[int, int]:
    size = find(config, "image_size", "img_size", "input_size", "crop_size", default=32)
    if isinstance(size, dict):
        size = (size["height"], size["width"])
    if isinstance(size, list | tuple):
        return int(size[-2 if len(size) > 1 else 0]), int(size[-1])
    return int(size), int(size)


def _value(name: str, model: nn.Module, names: set[str], variant: int) -> Any:
    config = model.config
    vocabulary = find(config.get_text_config(), "vocab_size", default=90)
    if name in ("input_ids", "decoder_input_ids"):
        length = LENGTH if name == "input_ids" else TARGET
        return torch.randint(20, max(21, min(vocabulary, 90)), (2, length))
    if name in ("attention_mask", "decoder_attention_mask"):
        if "input_ids" not in names:
            return None
        mask = torch.ones(2, LENGTH, dtype=torch.long)
        mask[1, -PADDED:] = 0
        return mask
    if name in ("grid_thw", "image_grid_thw"):
        return torch.tensor([[1, 4, 4], [1, 4, 4]])
    if "grid_thw" in names and name in ("hidden_states", "pixel_values"):
        patch = find(config, "patch_size", default=8)
        channels = find(config, "in_channels", "num_channels", "in_chans", default=3)
        frames = find(config, "temporal_patch_size", default=1)
        return torch.randn(32, channels * frames * patch * patch)
    if name == "query_embeds":
        return torch.randn(2, 8, find(config, "hidden_size", default=64))
    if name == "past_values":
        channels = find(config, "num_input_channels", "input_size", default=1)
        return torch.randn(2, find(config, "context_length", default=32), channels)
    if name == "encoder_hidden_states" and "query_embeds" in names:
        return torch.randn(2, LENGTH, find(config, "encoder_hidden_size", default=64))
    if name in ("inputs_embeds", "hidden_states", "encoder_hidden_states"):
        return torch.randn(2, LENGTH, find(config, "hidden_size", "d_model", default=64))
    if name in ("pixel_values", "pixel_values_videos"):
        return _pixels(config, variant)
    if name == "input_features":
        return _features(config, variant)
    if name in ("input_values", "audio_values", "waveform"):
        return [
            torch.randn(2, 4000),
            torch.randn(2, 1, 4000),
            torch.randn(2, 64, find(config, "num_mel_bins", default=16)),
            torch.randn(2, 16, 64),
            torch.randn(2, 1, 64, 16),
            torch.randn(2, find(config, "max_length", default=64), 16),
        ][variant]
    if name == "bbox":
        return torch.randint(0, 50, (2, LENGTH, 4)).sort(-1).values
    if name == "position_ids":
        return torch.arange(LENGTH).expand(2, -1)
    if name == "token_type_ids":
        return torch.zeros(2, LENGTH, dtype=torch.long)
    if name == "pixel_mask":
        return None
    return None


def _pixels(config: Any, variant: int) -> Tensor | None:
    channels = find(config, "num_channels", "in_channels", "num_input_channels", default=3)
    height, width = _size(config)
    frames = find(config, "num_frames", "frames_per_clip", default=4)
    if isinstance(channels, list | tuple):
        channels = channels[0]
    return [
        torch.randn(2, channels, height, width),
        torch.randn(2, frames, channels, height, width),
        torch.randn(2, channels, frames, height, width),
        torch.randn(2, channels, 64, 64),
        torch.randn(2, 1, channels, height, width),
        torch.randn(2, channels, 224, 224),
    ][variant]


def _features(config: Any, variant: int) -> Tensor | None:
    bins = find(config, "num_mel_bins", "input_feat_per_channel", "n_mels", "mel_bins", default=16)
    width = find(config, "feature_projection_input_dim", "feature_size", "input_size", default=bins)
    length = find(config, "max_source_positions", default=32)
    return [
        torch.randn(2, bins, 2 * length),
        torch.randn(2, 64, bins),
        torch.randn(2, 64, width),
        torch.randn(2, 1, 64, bins),
        torch.randn(2, bins, 3000),
        torch.randn(2, bins, 64),
    ][variant]
