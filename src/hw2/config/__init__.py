"""Configuration: params.yaml, profiles.yaml and paths.yaml, read strictly into typed objects."""
