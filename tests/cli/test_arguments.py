"""Unknown commands and options, and the version."""

import os
import subprocess
import sys

import pytest

from hw2 import cli


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["profle"], "unknown command 'profle'; did you mean 'profile'?"),
        (["digits", "out", "--cuont", "3"], "unknown option --cuont; did you mean '--count'?"),
        (["faces", "a", "b", "--stepps=3"], "unknown option --stepps; did you mean '--steps'?"),
    ],
)
def test_the_nearest_name_is_suggested(
    capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    assert caught.value.code == 2
    assert message in capsys.readouterr().err


def test_version_names_what_is_installed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["--version"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    assert text.startswith("hw2 ")
    assert all(name in text for name in ("torch 2.", "torchvision ", "Python 3."))


def test_figures_and_runner_ignore_the_backend_of_a_notebook() -> None:
    code = "from hw2.figures import report; import matplotlib; print(matplotlib.get_backend())"
    runner = code.replace("hw2.figures import report", "hw2.pipeline import runner")
    backend = {"MPLBACKEND": "module://matplotlib_inline.nowhere"}
    variables = os.environ | backend | {"PYTHONPATH": os.pathsep.join(sys.path)}
    for program in (code, runner):
        process = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, env=variables
        )
        assert process.stdout.strip().lower() == "agg", process.stderr


COMMANDS = (
    *(
        "profile",
        "params",
        "plan",
        "dag",
        "fetch",
        "check-data",
        "digits",
        "predict",
        "faces",
        "mse",
    ),
    *("doctor", "zero-shot", "sample-personalization", "grade-personalization"),
)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command_ends_with_an_example(
    capsys: pytest.CaptureFixture[str], command: str
) -> None:
    with pytest.raises(SystemExit):
        cli.main([command, "--help"])
    assert f"examples:\n  hw2 {command}" in capsys.readouterr().out
