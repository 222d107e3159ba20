"""Save screenshots of a report page at 1440 and 390 pixels, light and dark, for a person.

    python tests/figures/screenshots.py [PAGE] FOLDER

PAGE is results/report_figs/index.html if it is not given. FOLDER is made; its files are named
1440-light.png, 1440-dark.png, 390-light.png and 390-dark.png.
"""

import argparse
import sys
from pathlib import Path

import browser

PAGE = Path("results/report_figs/index.html")
WIDTHS = (1440, 390)  # pixels of a laptop's window and of a phone
SCHEMES = ("light", "dark")


def save(binary: str, page: Path, folder: Path) -> list[Path]:
    """Save a screenshot of `page` for each width and color scheme; return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    with browser.Browser(binary) as chromium:
        for width in WIDTHS:
            for scheme in SCHEMES:
                files.append(folder / f"{width}-{scheme}.png")
                browser.Tab(chromium, page, width, scheme).screenshot(files[-1])
    return files


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("page", nargs="?", type=Path, default=PAGE, help=f"default: {PAGE}")
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    if not options.page.is_file():
        sys.exit(f"{options.page}: no such page; `make report` writes {PAGE}")
    binary = browser.find()
    if binary is None:
        sys.exit("no Chromium found; install it, or set HW2_CHROMIUM to its path")
    for file in save(binary, options.page, options.folder):
        print(file)


if __name__ == "__main__":
    main()
