"""Conditional diffusion on digits as a DVC and Snakemake pipeline.

door        what every workflow/scripts/<stage>.py calls: parameters, paths, logging, exit codes
pipeline    DVC's resolved stages, for the Snakefile and the command line
tasks       one experiment per file: read inputs, compute, write outputs
figures     draw from records only: no torch, no model, no data set
training    parts of a training loop: resume files, run lock, clean stops
evaluation  the judge, guidance and sampler comparisons, intervals
digits, diffusion, models   the data worlds, the maths on tensors, the networks
params, profiles, paths     params.yaml, profiles.yaml, paths.yaml: read and checked
rng, files, device, progress, labels, errors   small foundations that everything stands on
"""
