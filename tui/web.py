"""The terminal application in a web browser, by textual-serve, for this computer alone."""

import shlex
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from bioclip_search.errors import UsageError

__all__ = ["HOST", "guard", "serve"]

HOST = "127.0.0.1"
"""Nothing beyond this computer is answered: whoever can browse can open files.

Nor is a page of another site that is open in a browser here; other users of this computer are.
"""

_OWN_ONLY = "default-src 'self' 'unsafe-inline' data:; connect-src 'self' ws://127.0.0.1:{port} ws://localhost:{port}"


def serve(arguments: Sequence[str], port: int) -> int:
    """Serve `bioclip-search browse` with these arguments until Ctrl-C; every tab of a browser is a session.

    Raises UsageError where textual-serve is not installed, or the port is taken.
    """
    try:
        from textual_serve.server import Server
    except ImportError as error:
        raise UsageError(
            "Browsing in a web browser needs the extra “web”: install it with pip install 'bioclip-search[web]'."
        ) from error

    class Guarded(Server):  # type: ignore[misc,unused-ignore]
        async def _make_app(self) -> Any:
            app = await super()._make_app()
            app.middlewares.append(guard(port))
            return app

    command = shlex.join([sys.executable, "-m", "bioclip_search", "browse", *arguments])
    sys.stderr.write(f"Browse at http://{HOST}:{port} (Ctrl-C stops)\n")
    try:
        Guarded(command, host=HOST, port=port, title="bioclip-search").serve()
    except OSError as error:
        raise UsageError(f"The port {port} cannot be used ({error.strerror}); choose another with --port.") from error
    return 0


def guard(port: int) -> Any:
    """Middleware that keeps the page to this computer.

    It refuses what another site asks by a browser (a foreign Origin, or a foreign name for us), and has the browser
    ask no other site for anything: the page of textual-serve wants a font from one, and waits for it where there is
    no internet (Content Security Policy, https://www.w3.org/TR/CSP3/).
    """
    from aiohttp import web

    names = {f"{HOST}:{port}", f"localhost:{port}"}

    @web.middleware
    async def guarded(request: web.Request, handler: Callable[[web.Request], Awaitable[Any]]) -> Any:
        origin = request.headers.get("Origin")
        if request.host not in names or (origin is not None and origin.removeprefix("http://") not in names):
            raise web.HTTPForbidden(text="Only a browser on this computer is answered.")
        response = await handler(request)
        response.headers["Content-Security-Policy"] = _OWN_ONLY.format(port=port)
        return response

    return guarded
