"""Failures in the words and status codes that Qdrant's own server uses for them."""


class RequestError(Exception):
    """A request that cannot be served: HTTP status and sentence."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def wrong_input(message: str) -> RequestError:
    return RequestError(400, f"Wrong input: {message}")


def not_found(message: str) -> RequestError:
    return RequestError(404, f"Not found: {message}")


def from_engine(error: Exception) -> RequestError:
    """Sorts an exception of the engine, which has no types of its own, by its text."""
    message = str(error).split("\n", 1)[0]
    if message.startswith("No point with id"):
        return not_found(message)
    if message.startswith("Service runtime error"):
        return RequestError(500, message)
    return wrong_input(message)
