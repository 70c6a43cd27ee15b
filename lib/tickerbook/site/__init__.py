"""From stored runs to pages."""
