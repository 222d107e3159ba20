"""The classifiers that judge images of shapes: trained, given, and refused."""

from pathlib import Path

import pytest
import torch

from hw2.config import params
from hw2.personalization import concept_judge, shape_judges
from hw2.personalization.shape_judges import ShapeJudges
from hw2.runtime.errors import UserError
from hw2.shapes import scenes
from hw2.stable_diffusion import alignment

ROOT = Path(__file__).resolve().parents[2]
GIVEN = ROOT / "data/pretrained/shape-judges"


@pytest.fixture(scope="module")
def trained(mini: params.Params) -> ShapeJudges:
    return shape_judges.obtain(mini.personalization.judges, mini.shapes, 1)


def test_given_classifiers_read_renderings_that_they_have_not_seen(mini: params.Params) -> None:
    """As their card says: they read nearly all, of scenes and of objects."""
    judges = shape_judges.load(GIVEN)
    assert judges.image_size == 64
    unseen = concept_judge.renderings("test of the given ones", 300, 64, 5)
    correct = concept_judge.shown_in(judges.concept, unseen.images) == unseen.shown
    assert (correct.mean(0) > 0.9).all()
    objects = scenes.test_set("test of the given ones", 2, 64, 5)
    plain = objects.textures == 0
    read = alignment.correct(judges.shape, objects.images[plain], objects.classes[plain])
    assert read.mean() > 0.95


def test_saved_classifiers_are_read_as_they_were(trained: ShapeJudges, tmp_path: Path) -> None:
    shape_judges.save(tmp_path, trained)
    read = shape_judges.load(tmp_path)
    assert read.image_size == trained.image_size
    for before, after in ((trained.shape, read.shape), (trained.concept, read.concept)):
        assert not after.training
        for name, value in before.state_dict().items():
            assert torch.equal(after.state_dict()[name], value)


def test_given_classifiers_that_do_not_fit_are_refused(
    mini: params.Params, trained: ShapeJudges, tmp_path: Path
) -> None:
    other = ShapeJudges(trained.shape, trained.concept, 16)
    (tmp_path / "small").mkdir()
    shape_judges.save(tmp_path / "small", other)
    (tmp_path / "empty").mkdir()
    for name, message in (
        ("absent", "no folder .*absent; write trained"),
        ("small", "for images of 16 pixels"),
        ("empty", "not a checkpoint of shape_judges_train"),
    ):
        given = mini.personalization.judges.model_copy(update={"weights": str(tmp_path / name)})
        with pytest.raises(UserError, match=message) as caught:
            shape_judges.obtain(given, mini.shapes, 1)
        assert "\n" not in str(caught.value)
