"""Put the commands together and run one. Exit status 0, 1 when it failed, 2 for wrong use."""

import typer
from rich.markup import escape

from service.cli import consent, content, media, mirror, running, tokens, webhooks
from service.cli.common import program, screen

app = typer.Typer(
    name="copydesk", no_args_is_help=True, pretty_exceptions_enable=False, help="A content store for news."
)
app.add_typer(running.app)
app.add_typer(mirror.app)
app.add_typer(content.app)
app.add_typer(tokens.app, name="token")
app.add_typer(webhooks.app, name="webhooks")
app.add_typer(media.app, name="media")
app.add_typer(consent.app, name="consent")


def main() -> None:
    """Run the command line, turning expected failures into sentences and exit status 1."""
    try:
        app(prog_name=program())
    except Exception as failure:  # `sentences` knows which are expected; every other one is raised again
        from service.cli.failures import sentences

        said = sentences(failure)
        if not said:
            raise
        for line in said:
            screen.print(f"[red]{escape(line)}[/]")
        raise SystemExit(1) from None
