"""Read files of many kinds as documents.

`find` lists the files, `units` splits each into documents to be, `read` reads one of these, `describe` shows a
document as plain values; `cluster` tells which documents are reprints of each other.
"""

from policytext.ingest.members import Unit
from policytext.ingest.reader import describe, read, units
from policytext.ingest.reprints import cluster
from policytext.ingest.sources import Source, find

__all__ = ["Source", "Unit", "cluster", "describe", "find", "read", "units"]
