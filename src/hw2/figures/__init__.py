"""Figures and the report page: they read records and draw, and never compute a result.

Nothing here may import torch, a model, a data set or `hw2.stages`, so every figure redraws in
about a second on any machine. `report.run` is the entry.
"""
