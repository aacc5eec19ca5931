"""Failures in the words and status codes that Qdrant's own server uses for them."""

from sidecars.server import BodyTooLargeError


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


def describe_failure(error: Exception) -> RequestError:
    """Sorts what a request ended in.

    The engine judges paths, dates and numbers by ValueError and OverflowError when a request is built, and raises plain
    Exceptions, told apart only by their text, when it runs.
    """
    message = str(error).split("\n", 1)[0]
    match error:
        case RequestError():
            return error
        case BodyTooLargeError():
            return RequestError(413, message)
        case ValueError() | OverflowError():
            return wrong_input(message)
    if type(error) is not Exception or message.startswith("Service "):
        return RequestError(500, f"Service internal error: {message}")
    return not_found(message) if message.startswith("No point with id") else wrong_input(message)
