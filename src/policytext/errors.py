"""Every error that policytext raises on purpose.

PolicyTextError
├── ConfigError (ValueError)      a config file, key or value is wrong
├── CodebookError (ValueError)    a codebook file is wrong
├── ReadError (ValueError)        a document cannot be read; becomes a Skipped row
├── LabelError (ValueError)       hand labels are malformed or do not match the corpus
├── ModelError (ValueError)       a model file is missing, altered or of another version
├── StoreError (RuntimeError)     the store is missing, locked or of another version
└── UsageError (ValueError)       a call or command line makes no sense

A message says what is wrong, where, and what to do about it.
"""


class PolicyTextError(Exception):
    """Base of all errors that policytext raises on purpose."""


class ConfigError(PolicyTextError, ValueError):
    """A config file, key or value is wrong."""


class CodebookError(PolicyTextError, ValueError):
    """A codebook file is wrong."""


class ReadError(PolicyTextError, ValueError):
    """A document cannot be read; `pipeline` turns it into a Skipped row."""


class LabelError(PolicyTextError, ValueError):
    """Hand labels are malformed or do not match the corpus."""


class ModelError(PolicyTextError, ValueError):
    """A model file is missing, altered or of another format version."""


class StoreError(PolicyTextError, RuntimeError):
    """The store is missing, locked or of another format version."""


class UsageError(PolicyTextError, ValueError):
    """A call or a command line makes no sense."""
