"""The terminal application in a web browser, by textual-serve, for this computer alone."""

import shlex
import sys
from collections.abc import Sequence

from bioclip_search.errors import UsageError

__all__ = ["HOST", "serve"]

HOST = "127.0.0.1"
"""Nothing beyond this computer is answered: whoever can browse can open files."""


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
    command = shlex.join([sys.executable, "-m", "bioclip_search", "browse", *arguments])
    sys.stderr.write(f"Browse at http://{HOST}:{port} (Ctrl-C stops)\n")
    try:
        Server(command, host=HOST, port=port, title="bioclip-search").serve()
    except OSError as error:
        raise UsageError(f"The port {port} cannot be used ({error.strerror}); choose another with --port.") from error
    return 0
