"""Score tags against hand labels."""
