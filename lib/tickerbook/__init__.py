"""The notebook author's whole vocabulary, and nothing else."""
