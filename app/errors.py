"""What can go wrong between a question and its answer."""


class AppError(Exception):
    """Base of all errors of this package; the message is one sentence for the user."""


class BadSettings(AppError):
    """A setting is unknown or not of its kind."""


class BadInput(AppError):
    """A question, a batch line or an argument can't be used."""


class ReaderError(AppError):
    """The evidence reader's weights are missing or not the expected ones."""


class Unkept(AppError):
    """The history or feedback of the page cannot be opened, read or written."""
