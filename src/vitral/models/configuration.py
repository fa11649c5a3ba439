"""What all of our models' configurations have in common."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass
class ModelConfig:
    """A model's shape. `context` is the largest number of tokens it takes.

    `architecture` is the Hugging Face class that the model is saved as; `kind` is "decoder"
    (writes on, each token sees only what came before) or "encoder" (reads, sees everything).
    """

    architecture: ClassVar[str]
    kind: ClassVar[str]

    vocab_size: int
    context: int
    hidden_size: int
    num_layers: int
    num_heads: int
    intermediate_size: int
    num_key_value_heads: int
    epsilon: float
    activation: str
