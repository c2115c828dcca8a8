"""The way in: the only place where errors become text and exit codes."""

from __future__ import annotations

import gc
import itertools
import os
import re
import signal
import sys
import threading
from collections.abc import Sequence
from types import FrameType
from typing import Any

from idp.errors import IdpError, Interrupted

GLOBAL_FLAGS = {"--quiet", "-q", "--verbose", "-v", "--debug", "--no-input", "--yes", "-y"}
GLOBAL_OPTIONS = {"-C", "--platform"}
GLUED = re.compile(r"-C.+|--platform=.*|-[qvy]{2,}", re.S)
"""A global option together with its value, or several short flags in one word."""

VALUE_OPTIONAL = {"--check"}

SWEEP = 100_000
"""New objects until Python looks for circles among them: a short command never does."""


def main(argv: Sequence[str]) -> int:
    """Run a command inside a longer process, and return its exit code."""
    former = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        return command(argv)
    finally:
        if threading.current_thread() is threading.main_thread():
            for number, handler in former.items():
                signal.signal(number, handler)


def command(argv: Sequence[str]) -> int:
    """Run a command and return its exit code; once it cannot be stopped, it ignores Ctrl-C."""
    words = hoisted(argv)
    try:
        from idp.cli import app

        code = _code(app(words, prog_name="idp", standalone_mode=False))
        sys.stdout.flush()
    except IdpError as error:
        return _tell(error, words)
    except KeyboardInterrupt:
        return _tell(Interrupted("interrupted"), words)
    except BrokenPipeError:
        return _reader_gone()
    except SystemExit as stop:
        # Typer leaves a broken pipe with 1, and completion with its own code.
        if isinstance(stop.__context__, BrokenPipeError):
            return _reader_gone()
        raise
    except Exception as error:
        return _tell_other(error, words)
    if code == Interrupted.exit_code:  # what Typer makes of Ctrl-C
        return _tell(Interrupted("interrupted"), words)
    return code


def _reader_gone() -> int:
    """Say nothing more, at exit either: the reader of our pipe has had enough."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _code(outcome: Any) -> int:
    return outcome if isinstance(outcome, int) else 0


def hoisted(argv: Sequence[str]) -> list[str]:
    """Move the global flags to the front, so that they may stand anywhere before a `--`."""
    front, rest = [], []
    words = iter(argv)
    for word in words:
        if word == "--":
            rest += [word, *words]
        elif word in GLOBAL_FLAGS or GLUED.fullmatch(word):
            front.append(word)
        elif word in GLOBAL_OPTIONS:
            front += [word, *itertools.islice(words, 1)]
        else:
            rest.append(word)
    return front + _with_values(rest)


def _with_values(words: Sequence[str]) -> list[str]:
    """Give an option whose value may be left out an empty one: Typer has no such options."""
    full = []
    for word, after in itertools.zip_longest(words, words[1:], fillvalue="-"):
        full += [f"{word}="] if word in VALUE_OPTIONAL and after.startswith("-") else [word]
    return full


def _tell(error: IdpError, words: Sequence[str]) -> int:
    from idp.output import Output, error_json, error_text

    if "--debug" in words:
        import traceback

        traceback.print_exception(error)
    if "--json" in words:
        print(error_json(error), file=sys.stderr)
    else:
        print(error_text(error, colour=Output().has_colour(sys.stderr)), file=sys.stderr)
    return error.exit_code


def _tell_other(error: Exception, words: Sequence[str]) -> int:
    """Tell an error that is none of ours: a wrong call, or a fault in idp."""
    from typer import Abort
    from typer.core import TyperGroup  # noqa: F401 - Typer's own Click is loaded with it

    if isinstance(error, Abort):
        return _tell(Interrupted("interrupted"), words)
    if hasattr(error, "exit_code") and hasattr(error, "format_message"):
        if type(error).__name__ == "NoArgsIsHelpError":  # its message is the whole help
            print(error.format_message(), file=sys.stderr)
            return 2
        return _tell(_usage(error), words)
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return _tell(IdpError(f"{where}{error.strerror or error}"), words)
    fault = IdpError(
        f"a fault in idp: {type(error).__name__}: {error}", hint="run it with --debug, report it"
    )
    fault.__cause__ = error
    return _tell(fault, words)


def _usage(error: Any) -> IdpError:
    from idp.errors import UsageError

    context = getattr(error, "ctx", None)
    path = context.command_path if context else "idp"
    return UsageError(error.format_message(), hint=f"{path} --help")


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _unraisable(caught: Any) -> None:
    """Interrupt once more where Ctrl-C came in a callback, from which Python raises nothing."""
    if caught.exc_type is KeyboardInterrupt:
        threading.Timer(0.01, signal.raise_signal, (signal.SIGINT,)).start()
    else:
        sys.__unraisablehook__(caught)


def _open_streams() -> None:
    """Open what stands in for a standard stream that our caller closed: Python has None there."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: PTH123, SIM115 - for good


def run() -> None:
    """Run as the program `idp`."""
    gc.set_threshold(SWEEP)
    _open_streams()
    signal.signal(signal.SIGTERM, _stop)
    sys.unraisablehook = _unraisable
    code = command(sys.argv[1:])
    gc.freeze()  # else Python looks for circles in all modules before it ends
    sys.exit(code)


if __name__ == "__main__":
    run()
