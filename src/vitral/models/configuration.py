"""What all of our models' configurations have in common."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass
class ModelConfig:
    """A model's shape. `context` is the largest number of tokens it accepts; `dropout` the share of
    numbers that training leaves out at random (Srivastava et al. 2014).

    `architecture` is the Hugging Face class that the model is saved as; `kind` is "decoder"
    (generates text; each token sees only earlier ones), "encoder" (every token sees all) or
    "encoder-decoder" (reads one text and writes another). If a model is not `limited`, its
    context is that of its training, and it accepts longer texts.
    """

    kind: ClassVar[str]
    limited: ClassVar[bool] = True

    vocab_size: int
    context: int
    hidden_size: int
    num_layers: int
    num_heads: int
    intermediate_size: int
    num_key_value_heads: int
    epsilon: float
    activation: str
    dropout: float = 0.0

    @property
    def architecture(self) -> str:
        raise NotImplementedError
