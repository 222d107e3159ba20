"""What the source must not do: run code from files, trust archives, draw from global randomness."""

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[1] / "src" / "hw2"
SCRIPTS = SOURCE.parents[1] / "workflow" / "scripts"
FILES = sorted([*SOURCE.rglob("*.py"), *SCRIPTS.glob("*.py")])

# Generator classes and types of NumPy, which hold their own state.
STATELESS = {"Generator", "PCG64", "SeedSequence", "BitGenerator"}


def dotted(node: ast.AST) -> str:
    """`a.b.c` of a name or attribute; an unnamed part is empty."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield dotted(node.func), node


def imports(tree: ast.AST) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def forbidden_keywords(tree: ast.AST) -> Iterator[str]:
    bad = {
        "weights_only": False,
        "allow_pickle": True,
        "shell": True,
        "verify": False,
        "trust_remote_code": True,
    }
    for name, call in calls(tree):
        for keyword in call.keywords:
            if keyword.arg in bad and (
                not isinstance(keyword.value, ast.Constant)
                or keyword.value.value is bad[keyword.arg]
            ):
                yield f"{name}({keyword.arg}={ast.unparse(keyword.value)})"


def unsafe_loading(tree: ast.AST) -> Iterator[str]:
    yield from imports(tree) & {"pickle", "marshal", "shelve", "dill", "joblib", "yaml"}
    for name, call in calls(tree):
        keywords = {keyword.arg: keyword.value for keyword in call.keywords}
        if name.endswith(("extractall", "os.system", "os.popen")) or name in ("eval", "exec"):
            yield name
        if name == "torch.load" and "weights_only" not in keywords:
            yield "torch.load without weights_only=True"
        if name in ("np.load", "numpy.load") and "allow_pickle" not in keywords:
            yield "np.load without allow_pickle=False"
        if name.split(".")[-1] == "YAML":  # ruamel's: safe, or the round trip, which is safe too
            kind = keywords.get("typ")
            if kind is not None and ast.unparse(kind) not in ("'safe'", "'rt'"):
                yield f"YAML(typ={ast.unparse(kind)})"


def global_randomness(tree: ast.AST) -> Iterator[str]:
    yield from {name for name in imports(tree) if name.split(".")[0] == "random"}
    yield from {name for name in imports(tree) if name.startswith("numpy.random")}
    for node in ast.walk(tree):
        name = dotted(node) if isinstance(node, ast.Attribute) else ""
        if name.startswith(("np.random.", "numpy.random.")) and name.split(".")[2] not in STATELESS:
            yield name
    for name, call in calls(tree):
        if name.endswith("manual_seed") and any(isinstance(a, ast.Constant) for a in call.args):
            yield ast.unparse(call)
        if name in ("torch.seed", "np.random.default_rng"):
            yield name
        draws = {"torch.rand", "torch.randn", "torch.randint", "torch.randperm", "torch.normal"}
        if name in draws and "generator" not in {keyword.arg for keyword in call.keywords}:
            yield f"{name} without a generator"


CHECKS = (forbidden_keywords, unsafe_loading, global_randomness)


@pytest.mark.parametrize("check", CHECKS)
def test_row_65_74_the_source_has_no_forbidden_calls(
    check: Callable[[ast.AST], Iterator[str]],
) -> None:
    assert len(FILES) > 50
    violations = {
        f"{path.relative_to(SOURCE.parents[1])}: {what}"
        for path in FILES
        for what in check(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert violations == set()


@pytest.mark.parametrize(
    ("check", "bad"),
    [
        (forbidden_keywords, "torch.load(p, weights_only=False)"),
        (forbidden_keywords, "np.load(p, allow_pickle=True)"),
        (forbidden_keywords, "subprocess.run(c, shell=True)"),
        (forbidden_keywords, "subprocess.run(c, shell=flag)"),
        (forbidden_keywords, "requests.get(u, verify=False)"),
        (forbidden_keywords, "Model.from_pretrained(p, trust_remote_code=True)"),
        (unsafe_loading, "import pickle"),
        (unsafe_loading, "from yaml import load"),
        (unsafe_loading, "archive.extractall(p)"),
        (unsafe_loading, "torch.load(p)"),
        (unsafe_loading, "np.load(p)"),
        (unsafe_loading, "YAML(typ='unsafe')"),
        (global_randomness, "import random"),
        (global_randomness, "np.random.rand(3)"),
        (global_randomness, "np.random.seed(0)"),
        (global_randomness, "np.random.default_rng()"),
        (global_randomness, "torch.manual_seed(0)"),
        (global_randomness, "torch.Generator().manual_seed(42)"),
        (global_randomness, "torch.randn(3)"),
    ],
)
def test_the_checks_detect_forbidden_calls(
    check: Callable[[ast.AST], Iterator[str]], bad: str
) -> None:
    assert list(check(ast.parse(bad)))


@pytest.mark.parametrize(
    "good",
    [
        "torch.load(p, weights_only=True)",
        "np.random.Generator(np.random.PCG64(s))",
        "torch.manual_seed(rng.derive(seed, 'x'))",
        "YAML(typ='safe', pure=True).load(t)",
        "torch.rand(3, generator=g)",
    ],
)
def test_the_checks_accept_safe_calls(good: str) -> None:
    assert [what for check in CHECKS for what in check(ast.parse(good))] == []
