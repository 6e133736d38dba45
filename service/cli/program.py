"""Put the commands together and run one. Exit status 0, 1 when it failed, 2 for wrong use."""

import typer
from alembic.util import CommandError
from pydantic import ValidationError
from rich.markup import escape

from service.cli import consent, content, media, running, tokens, webhooks
from service.cli.common import screen
from service.database import AlreadyServed
from service.errors import ServiceError
from service.faults import DATABASE_FAULTS, Fault, answer_to, fault_of
from service.losing import WouldLose
from service.published.rendering import RenderedByNewer
from service.schema import Unmigrated
from service.settings import Settings, UnsafeSetting

app = typer.Typer(
    name="copydesk", no_args_is_help=True, pretty_exceptions_enable=False, help="A content store for news."
)
app.add_typer(running.app)
app.add_typer(content.app)
app.add_typer(tokens.app, name="token")
app.add_typer(webhooks.app, name="webhooks")
app.add_typer(media.app, name="media")
app.add_typer(consent.app, name="consent")


def main() -> None:
    """Run the command line, turning expected faults into one sentence and exit status 1."""
    try:
        app()
    except ValidationError as fault:
        for error in fault.errors():
            place, said = ".".join(map(str, error["loc"])), error["msg"].removeprefix("Value error, ")
            name = f"COPYDESK_{place.upper()}" if fault.title == Settings.__name__ and place else place
            screen.print(f"[red]{escape(f'{name}: {said}' if name else said)}[/]")
        raise SystemExit(1) from None
    except (
        Unmigrated,
        RenderedByNewer,
        AlreadyServed,
        UnsafeSetting,
        ServiceError,
        FileNotFoundError,
        WouldLose,
        CommandError,
    ) as fault:
        screen.print(f"[red]{escape(str(fault))}[/]")
        raise SystemExit(1) from None
    except DATABASE_FAULTS as fault:
        if fault_of(fault) is Fault.BUG:
            raise
        cause = getattr(fault, "orig", None) or fault
        screen.print(f"[red]{escape(f'{answer_to(fault).detail} {cause}')}[/]")
        raise SystemExit(1) from None
