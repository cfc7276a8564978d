"""From a folder of Chinese policy documents to a trend figure that survives peer review."""
