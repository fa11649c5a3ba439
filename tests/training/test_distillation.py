"""Learning from a teacher as well: the mixture of losses, and what it leaves alone."""

import pytest
import torch
from tests.training.word_runs import VOCABULARY, prepared, recipe
from torch import nn

from vitral.errors import VitralError
from vitral.training.objectives import Objective
from vitral.training.objectives.batch import IGNORED
from vitral.training.objectives.distillation import Distillation
from vitral.training.preparation.corpus_preparation import objective
from vitral.training.preparation.teachers import check_teacher
from vitral.training.recipes.recipe import Teacher
from vitral.training.recipes.shapes import build_model

FORMS = ["gpt2", "bert", "recurrent"]


def pupil(form: str, seed: int = 0, **changes: object) -> nn.Module:
    torch.manual_seed(seed)
    return build_model(recipe(form, **changes).model, VOCABULARY)


def plain(form: str, **changes: object) -> Objective:
    made = recipe(form, **changes)
    return objective(made, made.phases[0], prepared())


def choice(share: float, temperature: float = 2.0) -> Teacher:
    return Teacher(model="maestro", share=share, temperature=temperature)


def loss_of(asked: Objective, model: nn.Module, step: int = 1) -> torch.Tensor:
    batch = asked.batch(step)
    loss: torch.Tensor = asked.loss(model)(**batch.inputs, targets=batch.targets)
    return loss


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("share", "temperature"), [(0.3, 1.0), (0.7, 3.0)])
def test_the_loss_is_the_mixture_written_out(form: str, share: float, temperature: float) -> None:
    student, teacher = pupil(form).eval(), pupil(form, seed=1).eval()
    asked = plain(form)
    batch = asked.batch(1)
    places = (batch.targets != IGNORED).nonzero().tolist()
    expected = 0.0
    with torch.no_grad():
        logits, wanted = student(batch.inputs["ids"]), teacher(batch.inputs["ids"])
        for b, t in places:
            right = logits[b, t].log_softmax(-1)[batch.targets[b, t]]
            p = (wanted[b, t] / temperature).softmax(-1)
            q = (logits[b, t] / temperature).softmax(-1)
            divergence = (p * (p / q).log()).sum()
            expected += float(-(1 - share) * right + share * temperature**2 * divergence)
    distilled = Distillation(asked, teacher, choice(share, temperature))
    assert float(loss_of(distilled, student).detach()) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("form", FORMS)
def test_a_share_of_nothing_is_the_plain_loss(form: str) -> None:
    student, asked = pupil(form).eval(), plain(form)
    distilled = Distillation(asked, pupil(form, seed=1), choice(0.0))
    torch.testing.assert_close(loss_of(distilled, student), loss_of(asked, student))


@pytest.mark.parametrize("form", FORMS)
def test_a_student_that_is_its_teacher_has_nothing_to_learn(form: str) -> None:
    student = pupil(form).eval()
    loss = loss_of(Distillation(plain(form), pupil(form), choice(1.0)), student)
    loss.backward()
    assert float(loss.detach()) == pytest.approx(0, abs=1e-3)
    for name, weight in student.named_parameters():
        assert weight.grad is None or float(weight.grad.abs().max()) < 1e-3, name


def test_the_teacher_is_left_as_it_is() -> None:
    """It has no gradients, draws no dropout, and is no part of what is trained."""
    student = pupil("gpt2")
    teacher = pupil("gpt2", seed=1, model={"dropout": 0.5}).train()
    distilled = Distillation(plain("gpt2"), teacher, choice(1.0))
    module = distilled.loss(student)
    ours = {id(weight) for weight in student.parameters()}
    assert {id(weight) for weight in module.parameters()} == ours
    module.train()
    one, other = loss_of(distilled, student), loss_of(distilled, student)
    assert torch.equal(one, other)
    one.backward()
    assert all(weight.grad is None and not weight.requires_grad for weight in teacher.parameters())
    assert all(weight.grad is not None for weight in student.parameters())


@pytest.mark.parametrize("windows", ["sentence", "packed"])
def test_gradients_of_parts_add_up_to_that_of_the_batch(windows: str) -> None:
    student = pupil("gpt2").eval()
    asked = plain("gpt2", data={"windows": windows})
    distilled = Distillation(asked, pupil("gpt2", seed=1), choice(0.5))
    loss_of(distilled, student).backward()
    expected = {name: weight.grad for name, weight in student.named_parameters()}
    student.zero_grad()
    loss = distilled.loss(student)
    for part in distilled.batch(1).parts(3):
        loss(**part.inputs, targets=part.targets).backward()
    for name, weight in student.named_parameters():
        torch.testing.assert_close(weight.grad, expected[name], atol=2e-4, rtol=1e-4, msg=name)


def test_next_sentence_is_still_learned_from_the_text() -> None:
    """The teacher says nothing of it; its loss is in both."""
    changes: dict[str, object] = {"model": {"next_sentence": True}}
    student, teacher = pupil("bert", **changes).eval(), pupil("bert", seed=1, **changes)
    asked = plain("bert", **changes)
    distilled = Distillation(asked, teacher, choice(0.0))
    torch.testing.assert_close(loss_of(distilled, student), loss_of(asked, student))


def test_a_teacher_of_other_words_is_refused() -> None:
    check_teacher({"el": 0}, {"el": 0}, "maestro")
    with pytest.raises(VitralError) as caught:
        check_teacher({"el": 0}, {"el": 1}, "maestro")
    assert caught.value.key == "teacher_other_words"
