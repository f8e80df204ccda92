"""What can go wrong between passages and hits."""


class IndexingError(Exception):
    """Base of all errors of this package; the message is one sentence for the user."""


class ModelUnavailable(IndexingError):
    """The embedding model is not on this machine, or not the one that was expected."""


class IdentityMismatch(IndexingError):
    """The index was built with other settings than the ones in force."""


class Locked(IndexingError):
    """Another process is writing the index."""


class Unwritable(IndexingError):
    """The index cannot be written: disk full or read-only; the one in force stays."""


class ServerUnavailable(IndexingError):
    """A Chroma server or an encoder's server does not answer, or refuses."""


class Damaged(IndexingError):
    """What is on disk is incomplete or inconsistent; ``iskp doctor --repair`` mends it."""


class LanguagesMissing(IndexingError):
    """Too many passages lack the vectors for other languages to make them while a question waits; ``iskp index --languages`` does.

    Attributes:
        number: of passages.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(
            f"{number} passages have not been prepared for questions in other languages, which takes some minutes; "
            "run: iskp index --languages"
        )


class Untrusted(IndexingError):
    """A server answers with something that would make this machine load code."""
