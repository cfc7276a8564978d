"""Topic models over the store."""
