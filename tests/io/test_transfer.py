"""One file from one server: however it answers, the part becomes the file."""

import pytest
from mirrors import DATA, OTHER, PAGE, SIZE, Mirrors

from hw2.io import transfer


@pytest.mark.parametrize("behavior", ["good", "whole", "unmeasured", "boasts", "packed", "moved"])
@pytest.mark.parametrize("size", [SIZE, None])
def test_the_file_does_not_depend_on_the_headers_of_the_response(
    mirrors: Mirrors, behavior: str, size: int | None
) -> None:
    mirrors.bring(behavior, size=size)


@pytest.mark.parametrize("have", [1, 1000, SIZE - 1])
def test_a_partial_file_is_resumed(mirrors: Mirrors, have: int) -> None:
    mirrors.folder.mkdir()
    mirrors.part.write_bytes(DATA[:have])
    mirrors.bring("good")
    assert mirrors.requests == [("good", f"bytes={have}-")]


@pytest.mark.parametrize("behavior", ["whole", "elsewhere"])
def test_without_range_support_the_download_starts_again(mirrors: Mirrors, behavior: str) -> None:
    mirrors.folder.mkdir()
    mirrors.part.write_bytes(DATA[:1000])
    mirrors.bring(behavior)


WRONG = {"start": OTHER[:1000], "all": OTHER, "more": DATA + b"more", "page": PAGE}


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("size", [SIZE, None])
def test_wrong_bytes_of_an_earlier_run_are_discarded(
    mirrors: Mirrors, wrong: str, size: int | None
) -> None:
    mirrors.folder.mkdir()
    mirrors.part.write_bytes(WRONG[wrong])
    mirrors.bring("good", size=size)


def test_an_encrypted_address_is_never_requested_unencrypted(mirrors: Mirrors) -> None:
    """The server speaks no TLS: that fails, and no plain request follows."""
    with pytest.raises(transfer.Failed, match="did not prove its identity"):
        mirrors.bring(mirrors.url("good").replace("http:", "https:"))
    assert mirrors.requests == []


@pytest.mark.parametrize(
    ("url", "location", "target"),
    [
        ("https://a.org/x/f", "https://b.org/f", "https://b.org/f"),
        ("https://a.org/x/f", "../f", "https://a.org/f"),
        ("https://a.org/f", "//b.org/f", "https://b.org/f"),
        ("https://a.org/f", "http://a.org/f", None),
        ("https://a.org/f", "http://localhost/f", None),
        ("https://a.org/f", "ftp://a.org/f", None),
        ("https://a.org/f", "file:///etc/passwd", None),
        ("http://localhost/f", "http://127.0.0.1:80/f", "http://127.0.0.1:80/f"),
        ("http://localhost/f", "https://a.org/f", "https://a.org/f"),
        ("http://localhost/f", "http://a.org/f", None),
    ],
)
def test_redirects_never_leave_encryption(url: str, location: str, target: str | None) -> None:
    if target is not None:
        assert transfer._redirected(url, location) == target
    else:
        with pytest.raises(transfer.Failed, match="unencrypted"):
            transfer._redirected(url, location)
