"""The small vocabulary: CLIP's own pieces, one for each word of the world."""

from pathlib import Path

import open_clip
import pytest

from hw2.clip import open_clip_folder, prompts, tokenizer
from hw2.shapes import vocabulary


@pytest.fixture(scope="module")
def merges() -> bytes:
    return tokenizer.subset([*vocabulary.vocabulary(), *prompts.words()])


@pytest.fixture(scope="module")
def small(merges: bytes, tmp_path_factory: pytest.TempPathFactory) -> open_clip.SimpleTokenizer:
    path = tmp_path_factory.mktemp("bpe") / "merges.txt.gz"
    path.write_bytes(merges)
    return open_clip.SimpleTokenizer(str(path), context_length=open_clip_folder.CONTEXT)


def test_the_size_is_what_open_clip_counts(merges: bytes, small: open_clip.SimpleTokenizer) -> None:
    assert tokenizer.size(merges) == small.vocab_size
    assert 600 < small.vocab_size < 1200
    assert "" not in small.encoder
    assert merges == tokenizer.subset([*vocabulary.vocabulary(), *prompts.words()])


def test_words_are_cut_as_clip_cuts_them(small: open_clip.SimpleTokenizer) -> None:
    whole = open_clip.SimpleTokenizer()
    known = [*vocabulary.vocabulary(), *prompts.words()]
    assert len(known) > 100
    for word in known:
        pieces = [small.decoder[k] for k in small.encode(word)]
        assert pieces == [whole.decoder[k] for k in whole.encode(word)]
    single = [word for word in vocabulary.vocabulary() if len(small.encode(word)) == 1]
    assert set(vocabulary.vocabulary()) - set(single) <= {"cyan"}


def test_any_other_text_has_tokens_too(small: open_clip.SimpleTokenizer) -> None:
    for text in ("a photo of a zebra", "naïve café", "x" * 40, "日本"):
        assert small.decode(small.encode(text)).strip() == text
    assert small(["a " * 60]).shape == (1, open_clip_folder.CONTEXT)


def test_no_known_prompt_is_cut_off(small: open_clip.SimpleTokenizer) -> None:
    longest = "yellow triangle"
    for name, templates in prompts.known().items():
        for template in templates:
            ids = small.encode(template.format(longest))
            assert len(ids) + 2 <= open_clip_folder.CONTEXT, (name, template)


def test_the_known_sets_have_their_sizes() -> None:
    sizes = {name: len(set(templates)) for name, templates in prompts.known().items()}
    assert sizes == {
        "course": 1, "article": 1, "cifar18": 18, "imagenet80": 80, "textures": 3, "shapes": 45,
    }  # fmt: skip
    assert all(t.count("{}") == 1 for templates in prompts.known().values() for t in templates)


def test_the_file_is_beside_the_configuration(tiny_folder: Path) -> None:
    assert (tiny_folder / open_clip_folder.VOCABULARY).is_file()
