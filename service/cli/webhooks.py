"""Send webhooks beside the serving processes, and seal their secrets with a new key."""

import typer

from service.cli.common import open_database, read_settings, screen

app = typer.Typer(no_args_is_help=True, help="Send webhooks, and seal their secrets with a new key.")


@app.command("work")
def send_webhooks() -> None:
    """Send webhooks beside the serving processes, which leave them to this with
    COPYDESK_WEBHOOK_CONCURRENCY=0. Ends at SIGTERM.
    """
    import anyio

    from service.webhooks import worker

    settings = read_settings()
    anyio.run(worker.work, open_database(settings), settings.webhook_concurrency or 8)


@app.command("reseal")
def seal_secrets() -> None:
    """Seal the secrets of all webhooks with COPYDESK_SECRET_KEY, so that COPYDESK_SECRET_KEY_PREVIOUS is
    needed no longer. Status 1 when one was sealed with neither.
    """
    from service.webhooks import lifecycle

    with open_database().writing() as session:
        sealed, lost = lifecycle.encrypt_again(session)
    screen.print(f"{sealed} secrets are sealed with the present key, {lost} cannot be read.")
    raise typer.Exit(1 if lost else 0)
