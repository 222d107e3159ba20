"""The class of each method.

Order and display names are those of `Hyperparameters` in `hw2.config.schema.dann_methods`. A class
may stand for several methods that differ in their hyperparameters. A training must not import this
module, because it must not depend on the code of other methods.
"""

from hw2.dann.method import Method
from hw2.dann.methods.adamatch import AdaMatch
from hw2.dann.methods.cdan import Cdan
from hw2.dann.methods.dann import Dann
from hw2.dann.methods.dann_paper import DannPaper
from hw2.dann.methods.mcc import Mcc
from hw2.dann.methods.self_training import SelfTraining
from hw2.dann.methods.source_only import SourceOnly
from hw2.dann.methods.target_only import TargetOnly

METHODS: dict[str, type[Method]] = {
    "source_only": SourceOnly,
    "dann_paper": DannPaper,
    "dann_capped": DannPaper,
    "dann": Dann,
    "cdan": Cdan,
    "mcc": Mcc,
    "self_training": SelfTraining,
    "adamatch": AdaMatch,
    "target_only": TargetOnly,
}
