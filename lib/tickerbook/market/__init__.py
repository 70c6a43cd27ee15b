"""Where prices come from: providers, sourcing, quality, lake."""
