"""The bare app served just as `copydesk serve` serves the service, with whatever server that takes: `python
-m tests.bench.launch PORT`.
"""

import sys

from starlette.types import ASGIApp

import service.main
from service import server
from service.settings import Settings
from tests.bench import bare


def _app() -> ASGIApp:
    app = bare.app()
    service.main.spare_what_stays()
    return app


# Not below the guard: a server that starts its worker afresh imports this module again, and must find the
# bare app there too.
service.main.app_from_environment = _app

if __name__ == "__main__":
    server.serve(Settings(), "127.0.0.1", int(sys.argv[1]))
