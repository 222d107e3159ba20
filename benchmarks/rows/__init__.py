"""The rows of `benchmarks/run.py`: a function of the settings for each."""
