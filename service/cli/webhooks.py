"""Send webhooks beside the serving processes."""

import anyio
import typer

from service.cli.common import open_database, read_settings
from service.webhooks import worker

app = typer.Typer(no_args_is_help=True, help="Send webhooks.")


@app.command("work")
def send_webhooks() -> None:
    """Send webhooks beside the serving processes, which leave them to this with
    COPYDESK_WEBHOOK_CONCURRENCY=0. Ends at SIGTERM.
    """
    settings = read_settings()
    anyio.run(worker.work, open_database(settings), settings.webhook_concurrency or 8)
