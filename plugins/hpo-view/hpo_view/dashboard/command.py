"""The command ``hpo dashboard``."""

from __future__ import annotations

import logging
import os
import secrets
import socket
import threading
import webbrowser

import click

from hpo_core import HpoError, load_study, studies

_PORT = 8765


@click.command("dashboard", epilog="Example: hpo dashboard digits --no-browser")
@click.argument("name", required=False)
@click.option("--port", type=click.IntRange(0, 65535), help=f"{_PORT} by default, or a free one.")
@click.option("--no-browser", is_flag=True, help="Open no browser; print the address alone.")
@click.option("--read-only", is_flag=True, help="Show no buttons, and refuse all actions.")
@click.option(
    "--store",
    "store_path",
    metavar="PATH",
    envvar="HPO_STORE",
    default="hpo.db",
    show_default=True,
    help="The file that keeps studies (or HPO_STORE).",
)
def dashboard_command(
    name: str | None, port: int | None, no_browser: bool, read_only: bool, store_path: str
) -> None:
    """Show the studies of the store in a browser, live, on this machine alone.

    The address that is printed has a token in it: whoever has it can look, stop, enqueue, extend
    and delete. Ctrl-C ends the dashboard; studies go on.
    """
    if name is None:
        studies(store_path)
    else:
        load_study(store_path, name)
    import uvicorn

    from hpo_view.dashboard.server import application

    listening = _listening(port)
    token = secrets.token_urlsafe(24)
    place: int = listening.getsockname()[1]
    app = application(store_path, token=token, port=place, first=name, read_only=read_only)
    address = f"http://127.0.0.1:{place}/?token={token}"
    print(f"The dashboard is at {address}\nCtrl-C ends it.", flush=True)
    os.nice(10)  # jobs have priority
    if not no_browser:
        threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
    settings = uvicorn.Config(
        app, log_level="warning", access_log=False, timeout_graceful_shutdown=1, lifespan="on"
    )
    server = uvicorn.Server(settings)
    # Open pages are disconnected at the end, which is not an error.
    logging.getLogger("uvicorn.error").addFilter(lambda _: not server.should_exit)
    server.run(sockets=[listening])


def _listening(port: int | None) -> socket.socket:
    """Return a socket on 127.0.0.1, with the given port, or else with the default or a free one."""
    for each in [_PORT, 0] if port is None else [port]:
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind(("127.0.0.1", each))
            listening.listen(128)
        except OSError as error:
            listening.close()
            said = error.strerror
            continue
        return listening
    raise HpoError(f"cannot listen on port {port}: {said}; give another one, or --port 0")
