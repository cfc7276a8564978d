"""Read files of many kinds as documents."""
