"""From a notebook and a ticker to a stored run."""
