"""Why a browser, or the session in it, ends here. Raised through all that runs side by side for one session."""


class Anew(Exception):
    """The browser must be opened anew."""

    def __init__(self, cause: str, *, counted: bool = True, forget: bool = False) -> None:
        """`counted`: as one more that was in vain; `forget`: nothing of its profile is kept."""
        super().__init__(cause)
        self.cause, self.counted, self.forget = cause, counted, forget


class Over(Exception):
    """The session has ended, until a person starts it again. `forget`: nothing of its profile is kept."""

    def __init__(self, *, forget: bool = False) -> None:
        super().__init__()
        self.forget = forget


class Lost(Exception):
    """Another instance owns the session."""
