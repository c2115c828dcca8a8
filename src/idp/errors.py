"""Every error a user may see, with its exit code.

IdpError                1  unexpected
├── UsageError          2  the call's words are off
├── InvalidInput        3  a file or a value is not what it must be
│   └── NotFound        3  what was named does not exist
├── NotAllowed          4  not logged in, or not allowed
├── Refused             5  refused by a policy, a guard or a person
├── RemoteFailed        6  a server, a repository or a program we called failed
├── Unhealthy           8  a release did not become healthy; the one before answers again
└── Interrupted       130  the user stopped it

7, conflicts left for a person, is an outcome and no error.
"""

from __future__ import annotations


class IdpError(Exception):
    """An error that is told in a sentence, with what to do next.

    Args:
        message: what is wrong: the file, the place, the value.
        hint: what mends it, where we know it.
        details: more lines for a person: paths, a program's output.
    """

    exit_code = 1
    code = "unexpected"
    retryable = False

    def __init__(self, message: str, *, hint: str = "", details: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details = details

    def __reduce__(self) -> tuple[object, ...]:
        """Let an error cross to another process as it is, whatever its constructor takes."""
        return _as_it_was, (type(self), str(self), self.__dict__)


def _as_it_was(kind: type[IdpError], message: str, state: dict[str, object]) -> IdpError:
    error = kind.__new__(kind, message)
    error.__dict__.update(state)
    return error


class UsageError(IdpError):
    """The call's words are off."""

    exit_code = 2
    code = "usage"


class InvalidInput(IdpError):
    """A file or a value is not what it must be."""

    exit_code = 3
    code = "invalid"


class NotFound(InvalidInput):
    """What was named does not exist."""

    code = "not_found"


class NotAllowed(IdpError):
    """Not logged in, or not allowed."""

    exit_code = 4
    code = "not_allowed"


class Refused(IdpError):
    """Refused by a policy or a guard, or a person said no."""

    exit_code = 5
    code = "refused"


class RemoteFailed(IdpError):
    """A server, a repository or a program that was called failed."""

    exit_code = 6
    code = "remote"
    retryable = True


class Unhealthy(IdpError):
    """A release did not become healthy; what answers instead is said."""

    exit_code = 8
    code = "unhealthy"


class Interrupted(IdpError):
    """The user stopped it."""

    exit_code = 130
    code = "interrupted"
    retryable = True
