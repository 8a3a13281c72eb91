"""The server: pages, their requests, and the events that notify them of changes."""

from __future__ import annotations

import asyncio
import html
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import plotly.offline
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from hpo_core import HpoError
from hpo_view.dashboard.actions import ACTIONS, act
from hpo_view.dashboard.changes import Changes, looked, notified
from hpo_view.dashboard.content import Content
from hpo_view.dashboard.security import Guard
from hpo_view.page.figures import FIGURES
from hpo_view.report import SCRIPTS, static, templates

_FILES = (*SCRIPTS, "dashboard.js", "page.css")
_PING = 20.0
"""Seconds without an event after which a stream sends a sign of life."""

_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>hpo dashboard</title>
<link rel="stylesheet" href="/static/page.css">
<link rel="icon" href="data:,">
</head>
<body data-first="{first}" data-read-only="{read_only}" data-polled="{polled}">
<a class="skip" href="#main">Skip to the content</a>
<header></header>
<main id="main" tabindex="-1"></main>
<footer></footer>
<script src="/static/plotly.js"></script>
{scripts}
</body>
</html>
"""


def application(
    store: str, *, token: str, port: int, first: str | None = None, read_only: bool = False
) -> Guard:
    """Return the dashboard of a store.

    Args:
        store: The store's file.
        token: The token that requests must carry.
        port: The port that the server listens on.
        first: The study to show first; None for the list.
        read_only: Whether actions are disabled.
    """
    changes = Changes(store)
    content = Content(store, changes)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        watching = asyncio.create_task(changes.watch())
        try:
            yield
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching
            changes.close()

    async def index(_: Request) -> Response:
        page = _PAGE.format(
            first=html.escape(first or ""),
            read_only="yes" if read_only else "",
            polled="yes" if changes.is_polled else "",
            scripts="\n".join(
                f'<script src="/static/{name}"></script>' for name in (*SCRIPTS, "dashboard.js")
            ),
        )
        return Response(page, media_type="text/html")

    async def file(request: Request) -> Response:
        name = request.path_params["file"]
        if name == "plotly.js":
            return Response(plotly.offline.get_plotlyjs(), media_type="text/javascript")
        if name not in _FILES:
            return PlainTextResponse("There is no such file.\n", status_code=404)
        kind = "text/css" if name.endswith(".css") else "text/javascript"
        return Response(static(name), media_type=kind)

    async def events(request: Request) -> Response:
        query = request.query_params
        stream = _events(changes, content, query.get("study"), query.get("trial"))
        return StreamingResponse(stream, media_type="text/event-stream")

    async def looks(_: Request) -> Response:
        return JSONResponse(templates())

    def asking(answer: Callable[[Request], bytes]) -> Callable[[Request], Any]:
        async def ask(request: Request) -> Response:
            try:
                found = await run_in_threadpool(answer, request)
            except (HpoError, KeyError) as error:
                return JSONResponse({"error": str(error)}, status_code=404)
            return Response(found, media_type="application/json")

        return ask

    def figure(request: Request) -> bytes:
        if request.path_params["figure"] not in FIGURES:
            raise KeyError(request.path_params["figure"])
        return content.figure(request.path_params["name"], request.path_params["figure"])

    def log(request: Request) -> bytes:
        begin = request.query_params.get("from", "0")
        place = int(begin) if begin.isdecimal() and len(begin) < 16 else 0
        return content.log(request.path_params["name"], request.path_params["job"], place)

    async def action(request: Request) -> Response:
        name, what = request.path_params["name"], request.path_params["action"]
        try:
            given = json.loads(await request.body() or b"{}")
        except ValueError:
            given = None
        if what not in ACTIONS or not isinstance(given, dict):
            return JSONResponse({"error": "there is no such action"}, status_code=400)
        try:
            said = await run_in_threadpool(act, store, name, what, given)
        except (HpoError, TypeError) as error:
            return JSONResponse({"error": str(error)}, status_code=409)
        await changes.tell()
        return JSONResponse({"done": said})

    name = "/api/study/{name}"
    routes = [
        Route("/", index),
        Route("/static/{file}", file),
        Route("/events", events),
        Route("/api/looks", looks),
        Route("/api/studies", asking(lambda request: content.studies())),
        Route(name, asking(lambda request: content.study(request.path_params["name"]))),
        Route(name + "/figure/{figure}", asking(figure)),
        Route(
            name + "/trial/{trial:int}",
            asking(lambda r: content.trial(r.path_params["name"], r.path_params["trial"])),
        ),
        Route(name + "/log/{job}", asking(log)),
        Route(name + "/{action}", action, methods=["POST"]),
    ]
    app = Starlette(routes=routes, lifespan=lifespan)
    return Guard(app, token=token, port=port, read_only=read_only)


async def _events(
    changes: Changes, content: Content, study: str | None, trial: str | None
) -> AsyncIterator[str]:
    """Yield an event when the store changes, and when a log of the trial grows."""
    queue: asyncio.Queue[str] = asyncio.Queue(maxsize=4)

    def put(event: str) -> None:
        with suppress(asyncio.QueueFull):  # the page is behind, and will request all new content
            queue.put_nowait(event)

    async def of_store() -> None:
        version = changes.version
        while True:
            version = await changes.after(version)
            put("change")

    async def of_log() -> None:
        if study is None or trial is None:
            return
        folder = await run_in_threadpool(content.logs, study)
        if folder.is_dir():
            follow = looked if changes.is_polled else notified
            async for _ in follow(folder, lambda name: name.startswith(f"{trial}.")):
                put("log")

    tasks = [asyncio.create_task(of_store()), asyncio.create_task(of_log())]
    try:
        yield "event: ready\ndata: \n\n"
        while True:
            try:
                event = await asyncio.wait_for(queue.get(), _PING)
                yield f"event: {event}\ndata: {changes.version}\n\n"
            except asyncio.TimeoutError:
                yield ": alive\n\n"
    finally:
        for task in tasks:
            task.cancel()
