"""A small vocabulary for the small CLIP: byte-pair merges in which some words are single tokens.

The merges are those of CLIP that these words need, in CLIP's order, and then merges of our own for
words that CLIP would still split. Any other text is tokenized too, down to bytes.
"""

import gzip
import io
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from open_clip.tokenizer import SimpleTokenizer, bytes_to_unicode, default_bpe

_BYTES, _SPECIAL = 512, 2  # each byte inside a word and at its end; start and end of a text
_END = "</w>"
_MARKERS = ("<|startoftext|>", "<|endoftext|>")


def single_token_merges(words: Sequence[str]) -> bytes:
    """The merges that make each of `words` one token, as a file that `SimpleTokenizer` reads.

    Args:
        words: Lower-case words of ASCII letters.
    """
    merges = _merges(Path(default_bpe()))
    merge_of = {left + right: (left, right) for left, right in merges}
    tokenizer = SimpleTokenizer()
    needed: set[tuple[str, str]] = set()

    def collect(piece: str) -> None:
        if piece in merge_of and merge_of[piece] not in needed:
            needed.add(merge_of[piece])
            for symbol in merge_of[piece]:
                collect(symbol)

    for word in words:
        for piece in _pieces(tokenizer, word):
            collect(piece)
    ranks = {pair: rank for rank, pair in enumerate(pair for pair in merges if pair in needed)}
    for word in words:
        # A new merge has the lowest priority, so no word that is merged already changes.
        while len(pieces := _pieces_with(ranks, word)) > 1:
            ranks[pieces[0], pieces[1]] = len(ranks)
    lines = ["#version: 0.2", *(" ".join(pair) for pair in ranks)]
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", filename="", mtime=0) as file:
        file.write("\n".join(lines).encode())
    return buffer.getvalue()


def size(merges: bytes) -> int:
    """Number of tokens in the vocabulary of a tokenizer with these merges."""
    return _BYTES + gzip.decompress(merges).count(b"\n") + _SPECIAL


def transformers_tokenizer(merges: bytes, context: int) -> Any:
    """The `CLIPTokenizer` of transformers with the ids of `SimpleTokenizer`.

    Ids are those of bytes, bytes at word ends, merges, start and end. Texts are padded with the end
    marker to `context` tokens.
    """
    from transformers import CLIPTokenizer  # slow to import

    pairs = [
        tuple(line.split()) for line in gzip.decompress(merges).decode().split("\n")[1:] if line
    ]
    symbols = list(bytes_to_unicode().values())
    at_word_end, merged = (f"{s}</w>" for s in symbols), ("".join(pair) for pair in pairs)
    token_names = [*symbols, *at_word_end, *merged, *_MARKERS]
    vocabulary = {name: k for k, name in enumerate(token_names)}
    return CLIPTokenizer(vocab=vocabulary, merges=pairs, model_max_length=context)


def _merges(path: Path) -> list[tuple[str, str]]:
    """CLIP's merges: the first 48,894 of the file, as in CLIP's own tokenizer."""
    lines = gzip.decompress(path.read_bytes()).decode().split("\n")
    pairs = (line.split() for line in lines[1 : 49152 - 256 - 2 + 1])
    return [(left, right) for left, right in pairs]


def _pieces(tokenizer: SimpleTokenizer, word: str) -> Iterator[str]:
    symbols = bytes_to_unicode()
    yield from tokenizer.bpe("".join(symbols[byte] for byte in word.encode())).split(" ")


def _pieces_with(ranks: Mapping[tuple[str, str], int], word: str) -> list[str]:
    """The symbols of a word after byte-pair encoding (Sennrich et al., 2016, algorithm 1)."""
    symbols = [*word[:-1], word[-1] + _END]
    while len(symbols) > 1:
        pairs = list(pairwise(symbols))
        best = min(pairs, key=lambda pair: ranks.get(pair, len(ranks)))
        if best not in ranks:
            break
        merged, k = [], 0
        while k < len(symbols):
            at_pair = tuple(symbols[k : k + 2]) == best
            merged.append("".join(best) if at_pair else symbols[k])
            k += 2 if at_pair else 1
        symbols = merged
    return symbols
