"""Where prices come from: providers, sourcing, limits, quality gate, lake."""
