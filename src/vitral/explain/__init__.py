"""What a trace means: what heads do, where information goes, what adds up to an answer.

Measures take a `Trace` and give one number for each head; what needs the model's own maps takes
the model too. Names are imported when first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vitral.explain.ablation import Ablation as Ablation
    from vitral.explain.ablation import ablate as ablate
    from vitral.explain.attention_flow import flow as flow
    from vitral.explain.attention_paths import AttentionGraph as AttentionGraph
    from vitral.explain.attention_paths import attention_graph as attention_graph
    from vitral.explain.attention_received import received as received
    from vitral.explain.attention_rollout import rollout as rollout
    from vitral.explain.attribution import LogitAttribution as LogitAttribution
    from vitral.explain.attribution import logit_attribution as logit_attribution
    from vitral.explain.changed_prediction import PredictionChange as PredictionChange
    from vitral.explain.changed_prediction import prediction_change as prediction_change
    from vitral.explain.conllu import read_treebank as read_treebank
    from vitral.explain.divergence import HeadMap as HeadMap
    from vitral.explain.divergence import head_distances as head_distances
    from vitral.explain.divergence import head_map as head_map
    from vitral.explain.gradients import InputAttribution as InputAttribution
    from vitral.explain.gradients import integrated_gradients as integrated_gradients
    from vitral.explain.head_measures import HeadMeasures as HeadMeasures
    from vitral.explain.head_measures import measures as measures
    from vitral.explain.lens import logit_lens as logit_lens
    from vitral.explain.measure import Measure as Measure
    from vitral.explain.neurons import Neuron as Neuron
    from vitral.explain.neurons import activations as activations
    from vitral.explain.neurons import neuron_effects as neuron_effects
    from vitral.explain.neurons import promoted as promoted
    from vitral.explain.neurons import strongest_neurons as strongest_neurons
    from vitral.explain.neurons import strongest_tokens as strongest_tokens
    from vitral.explain.norm_weighted import output_norms as output_norms
    from vitral.explain.norm_weighted import weighted_norms as weighted_norms
    from vitral.explain.output_parts import HeadOutput as HeadOutput
    from vitral.explain.output_parts import head_output as head_output
    from vitral.explain.predictions import Candidate as Candidate
    from vitral.explain.predictions import blanked as blanked
    from vitral.explain.predictions import candidates as candidates
    from vitral.explain.predictions import probabilities as probabilities
    from vitral.explain.query_beside_keys import QueryKey as QueryKey
    from vitral.explain.query_beside_keys import query_key as query_key
    from vitral.explain.registry import MEASURES as MEASURES
    from vitral.explain.relation_table import write_report as write_report
    from vitral.explain.relations import RelationReport as RelationReport
    from vitral.explain.relations import relation_report as relation_report
    from vitral.explain.repetition import repeated_trace as repeated_trace
    from vitral.explain.role_constancy import RolesElsewhere as RolesElsewhere
    from vitral.explain.role_constancy import roles_elsewhere as roles_elsewhere
    from vitral.explain.strongest import Weight as Weight
    from vitral.explain.strongest import strongest_weights as strongest_weights
    from vitral.explain.weight_arithmetic import Arithmetic as Arithmetic
    from vitral.explain.weight_arithmetic import arithmetic as arithmetic
    from vitral.explain.word_path import WordPaths as WordPaths
    from vitral.explain.word_path import nearest_tokens as nearest_tokens
    from vitral.explain.word_path import nearest_words as nearest_words
    from vitral.explain.word_path import path_cosines as path_cosines
    from vitral.explain.word_path import word_paths as word_paths
    from vitral.explain.written_tokens import WrittenAttribution as WrittenAttribution
    from vitral.explain.written_tokens import written_attribution as written_attribution
    from vitral.explain.zeroed_values import value_zeroing as value_zeroing

_HOMES = {
    "AttentionGraph": "attention_paths",
    "Candidate": "predictions",
    "RolesElsewhere": "role_constancy",
    "WordPaths": "word_path",
    "attention_graph": "attention_paths",
    "blanked": "predictions",
    "candidates": "predictions",
    "nearest_tokens": "word_path",
    "nearest_words": "word_path",
    "path_cosines": "word_path",
    "probabilities": "predictions",
    "roles_elsewhere": "role_constancy",
    "word_paths": "word_path",
    "Ablation": "ablation",
    "Arithmetic": "weight_arithmetic",
    "ablate": "ablation",
    "arithmetic": "weight_arithmetic",
    "HeadMap": "divergence",
    "HeadMeasures": "head_measures",
    "HeadOutput": "output_parts",
    "InputAttribution": "gradients",
    "LogitAttribution": "attribution",
    "MEASURES": "registry",
    "Measure": "measure",
    "QueryKey": "query_beside_keys",
    "PredictionChange": "changed_prediction",
    "RelationReport": "relations",
    "Weight": "strongest",
    "flow": "attention_flow",
    "head_distances": "divergence",
    "head_map": "divergence",
    "head_output": "output_parts",
    "integrated_gradients": "gradients",
    "logit_attribution": "attribution",
    "logit_lens": "lens",
    "measures": "head_measures",
    "Neuron": "neurons",
    "activations": "neurons",
    "neuron_effects": "neurons",
    "promoted": "neurons",
    "strongest_neurons": "neurons",
    "strongest_tokens": "neurons",
    "output_norms": "norm_weighted",
    "query_key": "query_beside_keys",
    "prediction_change": "changed_prediction",
    "read_treebank": "conllu",
    "received": "attention_received",
    "relation_report": "relations",
    "repeated_trace": "repetition",
    "rollout": "attention_rollout",
    "strongest_weights": "strongest",
    "value_zeroing": "zeroed_values",
    "weighted_norms": "norm_weighted",
    "WrittenAttribution": "written_tokens",
    "written_attribution": "written_tokens",
    "write_report": "relation_table",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"vitral.explain.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'vitral.explain' has no attribute {name!r}")
