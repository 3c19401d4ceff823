"""The one error and the one warning that users meet."""


class CascadeError(ValueError):
    """Input that cannot be used: the message says what was expected and what came.

    The command line prints it on one line and exits with status 2.
    """


class CascadeWarning(UserWarning):
    """Input that can be used, but outside what the model was trained and measured for."""
