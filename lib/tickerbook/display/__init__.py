"""Charts and tables from our types; computes nothing."""
