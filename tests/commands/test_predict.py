"""`hw2 predict`: which files of the folder are read."""

from pathlib import Path

from PIL import Image

from hw2.commands import predict


def test_the_table_of_an_earlier_run_in_the_folder_is_left_out(tmp_path: Path) -> None:
    Image.new("RGB", (28, 28)).save(tmp_path / "0.png")
    (tmp_path / "out.csv").write_text("image_name,label\n0.png,0\n")
    names, pixels = predict._read(tmp_path, tmp_path / "out.csv")
    assert names == ["0.png"]
    assert pixels.shape == (1, 28, 28, 3)
    folder = tmp_path.with_name("link")
    folder.symlink_to(tmp_path)
    assert predict._read(folder, tmp_path / "out.csv")[0] == ["0.png"]
