"""Networks: modules with plain constructor arguments, no files and no configuration."""
