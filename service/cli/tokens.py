"""Make, list and revoke tokens."""

import sys
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table as Grid
from sqlmodel import col, select

from service import tokens
from service.auth import Scope, Token
from service.cli.common import Json, open_database, screen

app = typer.Typer(no_args_is_help=True, help="Make, list and revoke tokens.")


@app.command("create")
def create_token(
    name: Annotated[str, typer.Option(help="what the token is for")],
    scope: Annotated[list[Scope], typer.Option(help="what it allows; may be given several times")],
    days: Annotated[int | None, typer.Option(min=1, help="after how many days it expires")] = None,
    source: Annotated[
        str | None, typer.Option(help="the only source whose articles and images it makes and changes")
    ] = None,
) -> None:
    """Make a token and print it, alone, on standard output. It is shown only this once."""
    with open_database().writing() as session:
        made = tokens.make_token(
            session,
            tokens.TokenCreate(name=name, scopes=scope, source=source, expires_at=tokens.in_days(days)),
        )
    sys.stdout.write(made.token + "\n")


@app.command("list")
def list_tokens(as_json: Json = False) -> None:
    """List tokens, newest first."""
    with open_database().reading() as session:
        found = [
            tokens.TokenRead.model_validate(row)
            for row in session.exec(select(Token).order_by(col(Token.id).desc()))
        ]
    if as_json:
        sys.stdout.writelines(shape.model_dump_json() + "\n" for shape in found)
        return
    grid = Grid("id", "name", "scopes", "last used", "state")
    for shape in found:
        used = shape.last_used_at.strftime("%Y-%m-%d %H:%M") if shape.last_used_at else "never"
        grid.add_row(
            str(shape.id), shape.name, " ".join(shape.scopes), used, "revoked" if shape.revoked_at else "good"
        )
    Console().print(grid)


@app.command("revoke")
def revoke_token(token_id: Annotated[UUID, typer.Argument(help="the token's id, from `token list`")]) -> None:
    """Revoke a token; it is refused from the next request on."""
    with open_database().writing() as session:
        tokens.revoke(session, token_id)
    screen.print("Revoked.")
