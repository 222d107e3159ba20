"""The canonical form of a Python source file: what runs, without what people read.

Two files have the same canonical form if they differ only in comments, docstrings (also those of
constants and attributes), layout, and messages: the arguments of raised exceptions, of logging
calls and of progress lines. The form is built from tokens, not from a syntax tree, because a
syntax tree looks different in every Python version, and an upgrade of Python should not retrain
anything.
"""

import ast
import io
import keyword
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from hw2.runtime.errors import UserError

Position = tuple[int, int]  # (row, column) in characters, rows counted from 1
Span = tuple[Position, Position]

_LOGGERS = {"log", "logger", "logging", "warnings"}
_LOG_METHODS = {"debug", "info", "warning", "error", "exception", "critical", "warn", "log"}
_PROGRESS_CALL = "progress"
_MESSAGE_KEYWORDS = {"desc", "unit", "hint"}
_LINE_STARTS = {"", "<NEWLINE>", "<INDENT>", "<DEDENT>"}
_LAYOUT = {tokenize.COMMENT, tokenize.NL, tokenize.ENCODING, tokenize.ENDMARKER}


@cache
def canonical(path: Path) -> str:
    """Return the canonical form of the file at `path`.

    Raises:
        UserError: if the file is not valid Python, with its line.
    """
    text = read(path)
    ignored = sorted(_ignored_spans(parse(path), text.split("\n")))
    tokens = (t for t in _tokens(text) if not _inside(t.start, ignored))
    return " ".join(_without_trailing_commas(_words(tokens, text.split("\n"))))


@cache
def read(path: Path) -> str:
    """Return the text of the file; honors a coding line, every line ends in a newline."""
    with tokenize.open(path) as file:
        return file.read()


@cache
def parse(path: Path) -> ast.Module:
    """Return the syntax tree of the file.

    Raises:
        UserError: if the file is not valid Python, with its line.
    """
    try:
        return ast.parse(read(path))
    except SyntaxError as error:
        raise UserError(f"{path}:{error.lineno}: {error.msg}; correct it and run again") from error


# --- what is ignored -------------------------------------------------------------------------


def _ignored_spans(tree: ast.Module, rows: list[str]) -> Iterator[Span]:
    """Spans of docstrings and messages."""

    def position(row: int, offset: int) -> Position:  # a syntax tree counts bytes in a row
        return row, len(rows[row - 1].encode()[:offset].decode())

    def span(start: ast.expr | ast.stmt, end: ast.expr | ast.stmt | None = None) -> Span:
        end = end or start
        return (
            position(start.lineno, start.col_offset),
            position(end.end_lineno or 0, end.end_col_offset or 0),
        )

    def call_arguments(call: ast.Call) -> Span:
        return position(call.func.end_lineno or 0, call.func.end_col_offset or 0), span(call)[1]

    for node in ast.walk(tree):
        match node:
            case ast.Expr(value=ast.Constant(value=str())):
                yield span(node)  # a docstring, also that of a constant or an attribute
            case ast.Raise(exc=ast.Call() as call):
                yield call_arguments(call)
            case ast.Call() if _is_message(node.func):
                yield call_arguments(node)
            case ast.keyword(arg=str() as name) if name in _MESSAGE_KEYWORDS:
                yield span(node.value)


def _is_message(function: ast.expr) -> bool:
    """Whether calls of `function` only tell people something."""
    match function:
        case ast.Attribute(value=ast.Name(id=owner), attr=method):
            return owner in _LOGGERS and method in _LOG_METHODS
        case ast.Name(id=name):
            return name == _PROGRESS_CALL or name.endswith("Error")
    return False


def _inside(position: Position, spans: list[Span]) -> bool:
    return any(start <= position < end for start, end in spans)


# --- what counts -----------------------------------------------------------------------------


def _tokens(text: str) -> Iterator[tokenize.TokenInfo]:
    return tokenize.generate_tokens(io.StringIO(text).readline)


def _words(tokens: Iterator[tokenize.TokenInfo], rows: list[str]) -> Iterator[str]:
    """The text of every token that counts.

    An f-string, which is several tokens since Python 3.12, is one word.
    """
    opened: list[Position] = []
    previous = ""
    for token in tokens:
        name = tokenize.tok_name[token.type]
        if name.endswith("STRING_START"):
            opened.append(token.start)
        elif name.endswith("STRING_END"):
            start = opened.pop()
            if not opened:
                previous = _source((start, token.end), rows)
                yield previous
        elif opened or token.type in _LAYOUT:
            continue
        elif token.type == tokenize.NEWLINE and previous in _LINE_STARTS:
            continue  # the line of a docstring
        else:
            is_structure = token.type in (tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)
            previous = f"<{name}>" if is_structure else token.string
            yield previous


def _source(span: Span, rows: list[str]) -> str:
    (start_row, start), (end_row, end) = span
    if start_row == end_row:
        return rows[start_row - 1][start:end]
    middle = rows[start_row : end_row - 1]
    return "\n".join([rows[start_row - 1][start:], *middle, rows[end_row - 1][:end]])


@dataclass
class _Bracket:
    """An open bracket while its words are read."""

    is_group: bool  # a parenthesis that groups, or an index: one comma in it makes a tuple
    commas: int = 0


def _without_trailing_commas(words: Iterator[str]) -> Iterator[str]:
    """Drop the comma that a formatter adds before a closing bracket, except a tuple's only one."""
    open_brackets: list[_Bracket] = []
    previous, pending_comma = "", False
    for word in words:
        closes = word in (")", "]", "}")
        if pending_comma:
            bracket = open_brackets[-1]
            if not closes or (bracket.is_group and bracket.commas == 1):
                yield ","
            pending_comma = False
        if word in ("(", "[", "{"):
            follows_value = previous in (")", "]") or (
                previous.isidentifier() and not keyword.iskeyword(previous)
            )
            open_brackets.append(_Bracket(is_group=(word == "[") == follows_value))
        elif closes:
            open_brackets.pop()
        if word == "," and open_brackets:
            open_brackets[-1].commas += 1
            pending_comma = True
        else:
            yield word
        previous = word
