"""The bridge between DVC, which knows what is stale, and Snakemake, which runs it."""
