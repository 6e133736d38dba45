"""Make, list and revoke tokens."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table as Grid

from service.cli.common import Json, open_database, screen
from service.scopes import Scope

if TYPE_CHECKING:
    from service.tokens import TokenRead

app = typer.Typer(no_args_is_help=True, help="Make, list and revoke tokens.")


@app.command("create")
def create_token(
    name: Annotated[str, typer.Option(help="what the token is for")],
    scope: Annotated[
        list[Scope] | None, typer.Option(help="what it allows; may be given several times")
    ] = None,
    days: Annotated[
        int | None, typer.Option(min=1, max=36_500, help="after how many days it expires")
    ] = None,
    source: Annotated[
        str | None, typer.Option(help="the only source whose articles and images it makes and changes")
    ] = None,
    contract: Annotated[
        str | None,
        typer.Option(help="what its holder may read, as JSON: see docs/partners/contracts.md"),
    ] = None,
) -> None:
    """Make a token and print it, alone, on standard output. It is shown only this once."""
    from service import tokens
    from service.contracts import Contract

    read = None if contract is None else Contract.model_validate_json(contract)
    with open_database().writing() as session:
        made = tokens.make_token(
            session,
            tokens.TokenCreate(
                name=name,
                scopes=scope or [],
                source=source,
                expires_at=tokens.in_days(days),
                contract=read,
            ),
        )
    sys.stdout.write(made.token + "\n")


@app.command("list")
def list_tokens(as_json: Json = False) -> None:
    """List tokens, newest first."""
    from sqlmodel import col, select

    from service.http.callers import Token
    from service.tokens import TokenRead

    with open_database().reading() as session:
        found = [
            TokenRead.model_validate(row)
            for row in session.exec(select(Token).order_by(col(Token.id).desc()))
        ]
    if as_json:
        sys.stdout.writelines(shape.model_dump_json() + "\n" for shape in found)
        return
    rows = [_columns(shape) for shape in found]
    if not sys.stdout.isatty():
        sys.stdout.writelines("\t".join(row) + "\n" for row in rows)
        return
    grid = Grid("id", "name", "scopes", "last used", "state")
    for row in rows:
        grid.add_row(*map(escape, row))
    Console().print(grid)


def _columns(token: "TokenRead") -> tuple[str, ...]:
    used = token.last_used_at.strftime("%Y-%m-%d %H:%M") if token.last_used_at else "never"
    state = "revoked" if token.revoked_at else "good"
    return str(token.id), token.name, " ".join(token.scopes), used, state


@app.command("revoke")
def revoke_token(
    token_id: Annotated[
        str, typer.Argument(help="the token's id, from `token list`, or its beginning", metavar="ID")
    ],
) -> None:
    """Revoke a token; it is refused from the next request on."""
    from service import tokens

    with open_database().writing() as session:
        token = tokens.find(session, token_id)
        tokens.revoke(session, token.id)
        name = token.name
    screen.print(f"Revoked {escape(name)}.")
