"""Train the classifiers that judge images of shapes, or take given ones."""

from pathlib import Path

from hw2.config import params
from hw2.io.atomic import atomic_dir
from hw2.personalization import shape_judges as judges


def run(
    personalization: params.Personalization, shapes: params.Shapes, *, shape_judges: Path
) -> None:
    """Write the classifiers to the folder `shape_judges`.

    The folder is empty unless the concepts are the synthetic ones, which alone can be judged.

    Raises:
        UserError: if given classifiers are missing, damaged, or for images of another size.
    """
    with atomic_dir(shape_judges) as folder:
        if personalization.photographs == "synthetic":
            obtained = judges.obtain(personalization.judges, shapes, personalization.seed)
            judges.save(folder, obtained)
