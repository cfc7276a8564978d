"""Tag passages with the labels of a codebook."""
