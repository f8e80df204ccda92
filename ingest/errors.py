"""What can go wrong between a file or an address and a source."""


class IngestError(Exception):
    """Base of all errors of this package; the message is one sentence for the user."""


class BadSource(IngestError):
    """The material cannot become a source: empty, unreadable, inconsistent; trying again is useless."""


class Unsupported(BadSource):
    """No reader is known for this kind of file."""


class Unwritable(IngestError):
    """The store of sources cannot be written: disk full, read-only, or held by another process."""


class Unreachable(IngestError):
    """The material could not be had this time; trying again later may help."""
