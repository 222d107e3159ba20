"""What the DAG runs: a module for each stage of dvc.yaml. `run` reads inputs and writes outputs."""
