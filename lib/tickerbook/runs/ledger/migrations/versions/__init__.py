"""One file for each version of the ledger, in the order of their names."""
