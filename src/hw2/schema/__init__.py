"""The sections of params.yaml, a module for each capability; `hw2.params` joins them."""
