"""Split documents into passages and words."""
