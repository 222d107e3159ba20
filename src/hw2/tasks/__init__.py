"""One stage of the DAG a file: `run` reads its inputs, computes, and writes its outputs."""
