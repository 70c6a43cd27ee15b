"""Pure mathematics over bars: no files, network, clock or unseeded randomness."""
