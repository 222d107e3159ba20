"""What the command line imports before a command runs."""

import subprocess
import sys

SLOW = ("torch", "torchvision", "numpy", "scipy", "matplotlib", "PIL", "dvc", "diffusers")
HELP = f"""
import sys
from hw2 import cli
try:
    cli.main(sys.argv[1:])
finally:
    print("imported:", [name for name in {SLOW} if name in sys.modules])
"""


def _imports(*arguments: str) -> str:
    # The test process has imported torch already, so a fresh interpreter runs the command line.
    process = subprocess.run(
        [sys.executable, "-c", HELP, *arguments], capture_output=True, text=True, check=True
    )
    return process.stdout.splitlines()[-1]


def test_help_imports_nothing_that_computes() -> None:
    assert _imports("--help") == "imported: []"


def test_help_of_a_command_imports_nothing_that_computes() -> None:
    assert _imports("sample-personalization", "--help") == "imported: []"


def test_a_package_that_cannot_be_imported_is_one_line() -> None:
    # Python refuses to import a module whose entry is None.
    broken = (
        "import sys; sys.modules['dvc'] = None; from hw2 import cli; sys.exit(cli.main(['plan']))"
    )
    process = subprocess.run([sys.executable, "-c", broken], capture_output=True, text=True)
    (line,) = process.stderr.splitlines()
    assert process.returncode == 2
    assert line.startswith("hw2 plan: ")
    assert "'dvc'" in line
    assert line.endswith("; `hw2 doctor` checks the packages")
