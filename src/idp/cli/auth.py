"""idp auth."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from idp.cli.options import Fields, Json, given, shape
from idp.errors import UsageError

if TYPE_CHECKING:
    from idp.auth import LoggedIn, LoggedOut
    from idp.context import Context
    from idp.forge.place import Place

app = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True)

EXAMPLES = """\b
Examples:
  idp auth login
  idp auth login gitlab.com --with-token --insecure-storage
  idp auth status
  idp auth logout github.com
"""

Host = Annotated[
    str, typer.Argument(metavar="HOST", help="The forge's host; else the platform's forge.")
]


@app.callback(epilog=EXAMPLES)
def auth() -> None:
    """Log in to forges, and see whose token is used."""


@app.command(epilog=EXAMPLES)
def login(
    ctx: typer.Context,
    host: Host = "",
    with_token: Annotated[
        bool, typer.Option("--with-token", help="Read a token from standard input.")
    ] = False,
    scopes: Annotated[
        str | None, typer.Option(metavar="A,B", help="Ask for these scopes only (GitHub).")
    ] = None,
    client_id: Annotated[
        str | None, typer.Option(metavar="ID", help="The OAuth app; else forge.client_id.")
    ] = None,
    insecure_storage: Annotated[
        bool, typer.Option("--insecure-storage", help="Keep the token in a file, not the keyring.")
    ] = False,
    as_json: Json = False,
    fields: Fields = "",
) -> None:
    """Log in to a forge: in the browser (GitHub, with an OAuth app), or with a token."""
    from idp import auth as work
    from idp.forge.place import host_of

    idp: Context = ctx.obj
    given(scopes=scopes)
    wanted = shape(as_json, fields, work.LoggedIn)
    place = idp.forge_at(host_of(host))
    oauth_app = "" if with_token else _oauth_app(idp, place, client_id or "")
    keyring = work.keyring_for(insecure=insecure_storage)
    if oauth_app:
        token = _granted(idp, place, oauth_app, scopes or ",".join(work.WANTED))
    else:
        token = _token(idp, place)
    done = work.login(place, token, keyring, idp.clock, idp.environ, idp.road)
    idp.output.item(done, wanted, lambda: f"logged in to {done.host} as {done.login}")
    _tell(idp, done)


def _token(idp: Context, place: Place) -> str:
    """Read a token, unseen where a person types it."""
    if sys.stdin.isatty():
        from getpass import getpass

        from idp.auth import how_to_make_a_token

        if not idp.can_ask:
            raise UsageError("nobody can be asked for the token", hint="--with-token < token.txt")
        idp.output.say(how_to_make_a_token(place))
        token = getpass(f"token for {place.host}: ").strip()
    else:
        token = sys.stdin.read().strip()
    if not token:
        raise UsageError("no token came in", hint=f"{place.login} --with-token < token.txt")
    return token


def _oauth_app(idp: Context, place: Place, client_id: str) -> str:
    """Return the OAuth app for a login in the browser; empty where a person can give a token."""
    from idp import auth as work

    own = idp.platform.forge.client_id if place == idp.forge_at() else ""
    app_id = client_id or idp.environ.get("IDP_GITHUB_CLIENT_ID") or own
    if place.kind != "github" or not app_id:
        if client_id or not idp.can_ask:
            raise work.no_device_flow(place)
        return ""
    if idp.no_input:
        hint = f"{place.login} --with-token < token.txt"
        raise UsageError("a login in the browser needs a person", hint=hint)
    return app_id


def _granted(idp: Context, place: Place, oauth_app: str, scopes: str) -> str:
    """Return a token that the person grants in the browser."""
    from idp.forge.login import device_flow

    asked = [scope.strip() for scope in scopes.split(",") if scope.strip()]
    # Not by `say`: without the code, --quiet would wait for nothing.
    return device_flow(
        place, oauth_app, asked, idp.clock, lambda words: print(words, file=sys.stderr)
    )


def _tell(idp: Context, done: LoggedIn) -> None:
    idp.output.say(f"the token is kept in {_place(done.stored_in)}")
    if done.missing:
        idp.output.say(f"it lacks scopes that create-service --push needs: {_list(done.missing)}")
    if done.before:
        idp.output.say(f"but {done.before} has a token for {done.host} too, which is taken first")


def _place(stored_in: str) -> str:
    return "the keyring" if stored_in == "keyring" else stored_in


def _list(words: tuple[str, ...]) -> str:
    return ", ".join(words)


@app.command(epilog=EXAMPLES)
def status(ctx: typer.Context, as_json: Json = False, fields: Fields = "") -> int:
    """Show whose token is used at each forge; exit 4 if there is none for the platform's."""
    from idp import auth as work
    from idp.forge.standing import Standing

    idp: Context = ctx.obj
    wanted = shape(as_json, fields, Standing)
    stands = work.status(idp.forge_at(), idp.clock, idp.environ)
    columns = ("host", "state", "login", "origin", "scopes", "found", "mend")
    idp.output.rows(stands, columns, wanted)
    return 4 if stands[0].state in ("absent", "refused") else 0


@app.command(epilog=EXAMPLES)
def logout(ctx: typer.Context, host: Host = "", as_json: Json = False, fields: Fields = "") -> None:
    """Remove a token that idp stored; those of other programs stay."""
    from idp import auth as work
    from idp.forge.place import host_of

    idp: Context = ctx.obj
    wanted = shape(as_json, fields, work.LoggedOut)
    at = host_of(host)
    place = work.stored(at, idp.environ) or idp.forge_at(at)
    done = work.logout(place, idp.environ, idp.road)
    idp.output.item(done, wanted, lambda: _gone(done))
    if done.still:
        idp.output.say(f"there is still a token for {done.host} from {done.still}")


def _gone(done: LoggedOut) -> str:
    if done.removed:
        return f"idp's token for {done.host} is deleted here; revoke it at {done.host} too"
    return f"idp keeps no token for {done.host}"
