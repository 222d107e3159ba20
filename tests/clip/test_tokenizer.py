"""The small vocabulary has CLIP's own tokens, and one for each word of captions and prompts."""

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


def test_the_size_agrees_with_open_clip(merges: bytes, small: open_clip.SimpleTokenizer) -> None:
    assert tokenizer.size(merges) == small.vocab_size
    assert 600 < small.vocab_size < 1200
    assert "" not in small.encoder
    assert merges == tokenizer.subset([*vocabulary.vocabulary(), *prompts.words()])


def test_words_are_split_as_clip_splits_them(small: open_clip.SimpleTokenizer) -> None:
    clip_tokenizer = open_clip.SimpleTokenizer()
    words = [*vocabulary.vocabulary(), *prompts.words()]
    assert len(words) > 100
    for word in words:
        pieces = [small.decoder[k] for k in small.encode(word)]
        assert pieces == [clip_tokenizer.decoder[k] for k in clip_tokenizer.encode(word)]
    single = [word for word in vocabulary.vocabulary() if len(small.encode(word)) == 1]
    assert set(vocabulary.vocabulary()) - set(single) <= {"cyan"}


def test_any_other_text_has_tokens_too(small: open_clip.SimpleTokenizer) -> None:
    for text in ("a photo of a zebra", "naïve café", "x" * 40, "日本"):
        assert small.decode(small.encode(text)).strip() == text
    assert small(["a " * 60]).shape == (1, open_clip_folder.CONTEXT)


def test_no_built_in_prompt_is_truncated(small: open_clip.SimpleTokenizer) -> None:
    longest = "yellow triangle"
    for name, templates in prompts.built_in().items():
        for template in templates:
            ids = small.encode(template.format(longest))
            assert len(ids) + 2 <= open_clip_folder.CONTEXT, (name, template)


def test_sizes_of_the_built_in_prompt_sets() -> None:
    sizes = {name: len(set(templates)) for name, templates in prompts.built_in().items()}
    assert sizes == {
        "course": 1, "article": 1, "cifar18": 18, "imagenet80": 80, "textures": 3, "shapes": 45,
    }  # fmt: skip
    assert all(t.count("{}") == 1 for templates in prompts.built_in().values() for t in templates)


def test_transformers_has_the_same_ids(merges: bytes, small: open_clip.SimpleTokenizer) -> None:
    theirs = tokenizer.transformers_tokenizer(merges, open_clip_folder.CONTEXT)
    for text in ("A photo of a red circle.", "a striped star next to a zebra", "", "naïve café"):
        row = small([text])[0]
        assert theirs(text).input_ids == row[: int(row.argmax()) + 1].tolist()
