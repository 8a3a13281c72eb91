"""Authorization as in Jupyter: a token, which is printed, and no foreign Host or Origin.

The token is sent once in the address, and then in a cookie that only requests of this page carry.
A foreign ``Host`` reveals a page that reaches 127.0.0.1 under its own name (DNS rebinding); a
foreign ``Origin`` reveals a request by another page.
"""

from __future__ import annotations

import hmac
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_ASKING = ("GET", "HEAD")


class Guard:
    """Accepts only requests that carry the token and come from the dashboard's own pages.

    Args:
        app: The protected application.
        token: The token.
        port: The port that the dashboard listens on.
        read_only: Whether all actions are rejected.
    """

    def __init__(self, app: ASGIApp, *, token: str, port: int, read_only: bool) -> None:
        self._app = app
        self._token = token
        self._hosts = {f"{name}:{port}" for name in ("127.0.0.1", "localhost")}
        self._origins = {f"http://{host}" for host in self._hosts}
        self._cookie = f"hpo-dashboard-{port}"  # cookies do not depend on the port
        self._read_only = read_only

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward a request, or reject it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # other kinds are not supported
            return

        async def secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        await (self._refused(scope) or self._app)(scope, receive, secured)

    def _refused(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        if headers.get("host", "").lower() not in self._hosts:
            return _no("this host name is not the dashboard's; use the address that was printed")
        if origin is not None and origin.lower() not in self._origins:
            return _no("this request comes from another page")
        is_asking = scope["method"] in _ASKING
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        if is_asking and scope["path"] == "/" and self._is_token(given):
            answer = RedirectResponse("/", status_code=303)
            answer.set_cookie(self._cookie, self._token, httponly=True, samesite="strict", path="/")
            return answer
        scheme, _, shown = headers.get("authorization", "").partition(" ")
        is_shown = scheme.lower() in ("token", "bearer") and self._is_token(shown.strip())
        is_kept = self._is_token(self._kept(headers.get("cookie", "")))
        if not is_shown and not is_kept:
            return _no("the token is missing; open the address that `hpo dashboard` printed")
        if is_asking:
            return None
        if self._read_only:
            return _no("the dashboard is read-only")
        if not is_shown and origin is None:
            return _no("the request does not say from which page it comes")
        return None

    def _is_token(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self._token.encode())

    def _kept(self, cookies: str) -> str:
        try:
            found = SimpleCookie(cookies).get(self._cookie)
        except CookieError:
            return ""
        return found.value if found else ""


def _no(why: str) -> Response:
    return PlainTextResponse(f"Refused: {why}.\n", status_code=403)
