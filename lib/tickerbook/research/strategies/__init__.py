"""One file for each strategy; the file's name is the strategy's name."""
