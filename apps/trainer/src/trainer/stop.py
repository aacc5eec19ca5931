class StopRequest:
    """Set by a signal or by a listener that went away; seen between two steps."""

    def __init__(self) -> None:
        self.requested = False

    def request(self) -> None:
        self.requested = True
