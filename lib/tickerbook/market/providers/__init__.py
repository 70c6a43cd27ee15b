"""One file for each provider of prices; the file's name is the provider's name."""
