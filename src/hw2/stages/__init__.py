"""The stages of dvc.yaml, a module for each; its function `run` reads inputs and writes outputs."""
