"""What can go wrong in an evaluation; the message is one sentence for the user."""

from app.errors import AppError


class EvalError(AppError):
    """A cases file, a data set, a baseline or a threshold can't be used."""


class BelowThreshold(EvalError):
    """A metric is worse than ``--fail-under`` allows; the report was written."""
