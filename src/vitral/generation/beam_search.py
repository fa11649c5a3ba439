"""Beam search: several texts are generated in parallel, and the most likely one is kept.

Greedy decoding takes the most likely token and may miss the most likely text. A beam keeps the K
most likely beginnings: each is continued by every token, and the K best continuations are kept. A
text that ends is stored with its score

    Σ log p(token) / n^length_penalty

over its n written tokens; a penalty above 0 favours long texts, which otherwise lose a factor per
token. The search ends when no beginning can beat the worst of K finished texts, or when no
tokens are left. These are the rules of transformers' `generate(num_beams=K)`, and the texts are
equal token for token (a test compares them). (Graves 2012, section 2.3; Wu et al. 2016, section
7, https://arxiv.org/abs/1609.08144.)

Shapes: K beams, T tokens so far, V vocabulary.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from vitral.errors import VitralError
from vitral.generation.folder_rules import FolderRules
from vitral.generation.generate import check_prompts
from vitral.generation.reading import reader_of
from vitral.models.description import context
from vitral.models.generation_settings import as_ids
from vitral.stopping import check_stop


@dataclass(frozen=True)
class Finished:
    """A text that has ended: its new tokens and its score."""

    ids: list[int]
    score: float


@dataclass(frozen=True)
class Searching:
    """The search after one more token: the most likely beginnings, the best first, each
    with the sum of its log-probabilities; and the best of the texts that have ended."""

    beginnings: list[Finished]
    finished: list[Finished]


def beam_search(
    module: nn.Module,
    ids_T: Tensor,
    *,
    num_beams: int,
    max_new_tokens: int,
    length_penalty: float = 1.0,
    end_id: int | Collection[int] | None = None,
    use_cache: bool = True,
    encoder_ids: Tensor | None = None,
    rules: FolderRules | None = None,
    early_stopping: bool = False,
) -> list[Finished]:
    """The best continuations of the one text `ids_T`, at most `num_beams`, the best first.

    An encoder–decoder's encoder reads `encoder_ids` [1, S]. `rules` are those of the model's
    folder; with `early_stopping` the first `num_beams` finished texts are enough. Raises what
    `generate_ids` raises, and `option_invalid` for fewer than one beam.
    """
    finished: list[Finished] = []
    for searching in search(
        module,
        ids_T,
        num_beams=num_beams,
        max_new_tokens=max_new_tokens,
        length_penalty=length_penalty,
        end_id=end_id,
        use_cache=use_cache,
        encoder_ids=encoder_ids,
        rules=rules,
        early_stopping=early_stopping,
    ):
        finished = searching.finished
    return finished


@torch.no_grad()
def search(
    module: nn.Module,
    ids_T: Tensor,
    *,
    num_beams: int,
    max_new_tokens: int,
    length_penalty: float = 1.0,
    end_id: int | Collection[int] | None = None,
    use_cache: bool = True,
    encoder_ids: Tensor | None = None,
    rules: FolderRules | None = None,
    early_stopping: bool = False,
) -> Iterator[Searching]:
    """`beam_search`, token by token; what the last one has finished is what is found."""
    if num_beams < 1:
        raise VitralError("option_invalid", option="num_beams", value=num_beams, least=1)
    check_prompts(module, [ids_T], max_new_tokens)
    size = context(module, "decoder")
    if size is not None:
        max_new_tokens = min(max_new_tokens, size - len(ids_T))
    if encoder_ids is not None:
        encoder_ids = encoder_ids.expand(num_beams, -1)
    rule = None
    if rules is not None:
        source = None if encoder_ids is None else encoder_ids[0]
        rule = rules.of_text(ids_T.tolist(), max_new_tokens, source)
    read = reader_of(module, encoder_ids=encoder_ids, use_cache=use_cache)
    end_ids = as_ids(end_id)
    written_KT = torch.empty(num_beams, 0, dtype=torch.long, device=ids_T.device)
    new_KT = ids_T.expand(num_beams, -1)
    # All beams begin alike: only the first may be continued, or they would stay alike.
    scores_K = torch.full((num_beams,), float("-inf"), device=ids_T.device)
    scores_K[0] = 0.0
    finished: list[Finished] = []
    for length in range(1, max_new_tokens + 1):
        check_stop()
        next_KV = read(new_KT).float().log_softmax(dim=-1)
        if rule is not None:
            texts_KT = torch.cat((ids_T.expand(num_beams, -1), written_KT), dim=1)
            next_KV = rule(texts_KT.cpu(), next_KV.cpu()).to(next_KV.device)
        scores_KV = scores_K[:, None] + next_KV
        # With so many candidates, enough continue even if each beam ends with every end token.
        num_candidates = min(max(2, 1 + len(end_ids)) * num_beams, scores_KV.numel())
        best = scores_KV.flatten().topk(num_candidates)
        beams, tokens = best.indices // scores_KV.shape[1], best.indices % scores_KV.shape[1]
        ends = torch.full_like(tokens, length == max_new_tokens, dtype=torch.bool)
        for end in end_ids:
            ends |= tokens == end
        texts_KT = torch.cat((written_KT[beams], tokens[:, None]), dim=1)
        for place in range(min(num_beams, num_candidates)):
            if ends[place] and best.values[place] > float("-inf"):
                score = float(best.values[place]) / length**length_penalty
                finished.append(Finished(texts_KT[place].tolist(), score))
        finished = sorted(finished, key=lambda each: -each.score)[:num_beams]
        going_on = (~ends).nonzero().flatten()[:num_beams]
        if len(going_on) == 0:
            yield Searching([], finished)
            return
        num_left = num_beams - len(going_on)  # only a tiny vocabulary leaves beams empty
        going_on = torch.cat([going_on, going_on[-1:].expand(num_left)])
        scores_K, written_KT = best.values[going_on], texts_KT[going_on]
        scores_K[num_beams - num_left :] = float("-inf")
        hopeless = len(finished) == num_beams and (
            early_stopping or float(scores_K[0]) / length**length_penalty <= finished[-1].score
        )
        if hopeless:
            yield Searching([], finished)
            return
        read.reorder(beams[going_on])
        new_KT = tokens[going_on, None]
        pairs = zip(written_KT.tolist(), scores_K.tolist(), strict=True)
        yield Searching([Finished(ids, score) for ids, score in pairs], finished)
