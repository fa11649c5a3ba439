"""How the folders of one form describe its model: names of entries and of weights, in both
directions.

A `config.json` holds the shape in the field's names, `model.safetensors` the weights. Both have
other names there than here: `layers.3.attention.q_proj.weight` here is
`model.layers.3.self_attn.q_proj.weight` in one architecture's folder and the first third of
`transformer.h.3.attn.c_attn.weight`, transposed, in another's. Each form gives its tables to a
`FolderFormat`; what no table can say, it overrides.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vitral.errors import VitralError
from vitral.models.configuration import ModelConfig
from vitral.nn.feed_forward import ACTIVATIONS

# Buffers that older files carry.
_BUFFERS = re.compile(r"(\.attn\.(masked_)?bias|position_ids|rotary_emb\.inv_freq)$")


@dataclass(frozen=True, kw_only=True)
class FolderFormat:
    """The folders of one form. In all tables of two names, except `entries`, ours stands left.

    * `architectures` are the classes of transformers' that such a folder may name;
      `model_type` is transformers' short name, or begins with `forms.OWN` if it has none.
    * `entries`: ours, on the right, by their names in config.json. Where several of theirs have
      one name here (the places of dropout), all of them are written with our one value, and the
      last one is read. `fixed` is what else is written, the same for every model.
    * `plain`: the values, by entry, of a model that is built here. Others would change the
      arithmetic; such a model goes to transformers.
    * `weights`: theirs by our names; N stands for a layer's number. A name may be that of a
      module, or of a single weight. Where several of ours have one name there, they stand in that
      one, row under row, in the order of the table; `transposed` says that the maps inside the
      layers are stored [in, out]. None: a folder's names are ours.
    * `tied`: weights that are one and the same: the copy's name, and the original's.
    * `older`: what the names in older files had in place of today's, as regular expressions.
    * `unused`: a regular expression for weights of heads that a folder may have and the model
      has no use for.
    * `body`: the class of transformers' that is the model without its head, if a run may start
      from such a folder, and what stands before its weights' names in the whole model.
    """

    architectures: tuple[str, ...]
    model_type: str
    entries: Mapping[str, str]
    fixed: Mapping[str, Any] = field(default_factory=dict)
    plain: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    weights: Mapping[str, str] | None = None
    transposed: bool = False
    tied: Mapping[str, str] = field(default_factory=dict)
    older: Mapping[str, str] = field(default_factory=dict)
    unused: str = r"(?!)"
    body: tuple[str, str] | None = None

    def can_read(self, entries: Mapping[str, Any]) -> bool:
        """Whether a config.json describes a model that is built here, with nothing unusual."""
        if any(entries.get(name) not in plain for name, plain in self.plain.items()):
            return False
        said = {name: entries.get(name) for name in self.entries}
        if any(isinstance(value, list | dict) for value in said.values()):
            return False
        bends = (said[theirs] for theirs, ours in self.entries.items() if ours == "activation")
        return all(bend is None or bend in ACTIVATIONS for bend in bends)

    def shape_of(self, entries: Mapping[str, Any]) -> dict[str, Any]:
        """A model's shape in a config.json, by our names, without entries that are null."""
        shape = {
            ours: entries[theirs]
            for theirs, ours in self.entries.items()
            if entries.get(theirs) is not None
        }
        if "num_heads" in shape:
            shape.setdefault("num_key_value_heads", shape["num_heads"])
        return shape

    def entries_of(self, config: ModelConfig) -> dict[str, Any]:
        """One of our configurations as the entries of a config.json."""
        named = {theirs: getattr(config, ours) for theirs, ours in self.entries.items()}
        first = {"architectures": [config.architecture], "model_type": self.model_type}
        return {**first, **named, **self.fixed}

    def to_folder(self, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Our weights by the names, and in the layout, of the folder."""
        if self.weights is None:
            return dict(weights)
        found = {}
        for name, weight in weights.items():
            module, parameter, number = _taken_apart(name)
            theirs = self.weights.get(_joined(module, parameter))
            if theirs is None:
                theirs = _joined(self.weights[module], parameter)
                together = self._ours_of[self.weights[module]]
                if module != together[0]:
                    continue  # it stands under the first
                parts = [weights[_numbered(_joined(part, parameter), number)] for part in together]
                weight = torch.cat(parts) if len(parts) > 1 else weight
            found[_numbered(theirs, number)] = weight.T if self._is_turned(name) else weight
        return found

    def from_folder(
        self, weights: Mapping[str, Tensor], expected: Collection[str], path: Path
    ) -> dict[str, Tensor]:
        """The folder's weights by our names and in our layout, for a model whose weights are
        called as `expected`.

        Raises `weights_damaged` (naming `path`) for a weight that no such model has.
        """
        if self.weights is None:
            return dict(weights)
        found: dict[str, Tensor] = {}
        single: dict[str, Tensor] = {}
        for name, weight in weights.items():
            module, parameter, number = _taken_apart(self._of_today(name))
            alone = self._ours_of.get(_joined(module, parameter))
            together = [_joined(part, parameter) for part in self._ours_of.get(module, ())]
            ours = [_numbered(each, number) for each in alone or together]
            if not ours or not set(ours).issubset(expected):
                if _BUFFERS.search(name) or re.search(self.unused, self._of_today(name)):
                    continue
                raise VitralError("weights_damaged", path=path, reason=f"{name} is not expected")
            parts = (weight.T if self._is_turned(ours[0]) else weight).tensor_split(len(ours))
            (single if alone else found).update(zip(ours, parts, strict=True))
        return found | single

    @cached_property
    def _ours_of(self) -> dict[str, list[str]]:
        ours: dict[str, list[str]] = {}
        for mine, theirs in (self.weights or {}).items():
            ours.setdefault(theirs, []).append(mine)
        return ours

    def _of_today(self, name: str) -> str:
        for old, new in self.older.items():
            name = re.sub(old, new, name)
        return name

    def _is_turned(self, name: str) -> bool:
        return self.transposed and name.endswith("proj.weight")


def _taken_apart(name: str) -> tuple[str, str, str]:
    """Of a weight's name the module, with N for a layer's number; the parameter; the number."""
    module, _, parameter = name.rpartition(".")
    number = re.search(r"\.(\d+)\.", module)
    general = re.sub(r"\.\d+\.", ".N.", module, count=1)
    return general, parameter, number[1] if number else ""


def _joined(module: str, parameter: str) -> str:
    return f"{module}.{parameter}" if module else parameter


def _numbered(name: str, number: str) -> str:
    return name.replace(".N.", f".{number}.")
