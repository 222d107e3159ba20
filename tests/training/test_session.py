"""A training session: one writer, and resume files that outlive everything except success."""

from pathlib import Path

import pytest

from hw2.runtime import run_lock
from hw2.runtime.errors import UserError
from hw2.training.resume import Resume
from hw2.training.session import Session

IDENTITY = {"lr": 0.1}


def saved(resume: Resume) -> bool:
    return resume.load_latest() is not None


def test_a_session_holds_the_lock_of_its_folder(tmp_path: Path) -> None:
    with (
        Session(tmp_path),
        pytest.raises(UserError, match="another run"),
        run_lock.hold(tmp_path, wait_seconds=0),
    ):
        pass
    with run_lock.hold(tmp_path, wait_seconds=0):  # released at the end of the session
        pass


def test_success_removes_the_resume_files_of_every_training(tmp_path: Path) -> None:
    with Session(tmp_path) as session:
        trainings = [session.resume(IDENTITY), session.resume(IDENTITY, "second")]
        for resume in trainings:
            resume.save(1, {"value": 1})
        assert all(map(saved, trainings))  # they stay until the outputs are written
    assert not any(map(saved, trainings))


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_failure_after_the_training_keeps_its_resume_files(
    tmp_path: Path, error: type[BaseException]
) -> None:
    with pytest.raises(error), Session(tmp_path) as session:
        resume = session.resume(IDENTITY)
        resume.save(1, {"value": 1})
        raise error
    with Session(tmp_path) as session:
        assert saved(session.resume(IDENTITY))


def test_one_training_of_several_can_end_before_the_session(tmp_path: Path) -> None:
    with Session(tmp_path) as session:
        other = session.resume(IDENTITY, "other")
        other.save(1, {"value": 1})
        with Resume(tmp_path / "first", IDENTITY) as resume:
            resume.save(1, {"value": 1})
        assert not saved(resume)
        assert saved(other)


def test_an_interrupted_training_keeps_its_resume_files(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="stopped"), Resume(tmp_path, IDENTITY) as resume:
        resume.save(1, {"value": 1})
        raise ValueError("stopped")
    assert saved(Resume(tmp_path, IDENTITY))
