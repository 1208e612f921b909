"""Import LanceDB, for the command line without the client of its cloud service.

That client, made of several hundred generated classes, takes nearly half of the second that the import costs,
on every start of the program, and nothing here speaks to the service. Programs that import `bioclip_search`
get LanceDB whole.
"""

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

__all__ = ["lancedb", "leave_out_client"]

_CLIENT = "lance_namespace_urllib3_client"
# Native code is initialised once in a process.
_NATIVE = "._lancedb"
_FAMILY = ("lancedb", "lance_namespace", _CLIENT)

_is_left_out = False


def leave_out_client() -> None:
    """Let `lancedb` be imported without the client in this process; that happens when it is first asked for."""
    global _is_left_out
    _is_left_out = True


def lancedb() -> Any:
    """The module `lancedb`."""
    if not _is_left_out or "lancedb" in sys.modules:
        return importlib.import_module("lancedb")
    sys.modules.update({name: _StandIn(name) for name in _client_modules()})
    try:
        return importlib.import_module("lancedb")
    except (ImportError, AttributeError, TypeError):
        # Another version may need what stands in: then the whole of it.
        for name in [name for name in sys.modules if name.split(".")[0] in _FAMILY and not name.endswith(_NATIVE)]:
            del sys.modules[name]
        return importlib.import_module("lancedb")


class _StandIn(ModuleType):
    """A module that has every class, each of them empty."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})


def _client_modules() -> list[str]:
    spec = importlib.util.find_spec(_CLIENT)
    folders = (spec.submodule_search_locations if spec else None) or ()
    return [f"{_CLIENT}.api.{file.stem}" for folder in folders for file in Path(folder, "api").glob("*_api.py")]
