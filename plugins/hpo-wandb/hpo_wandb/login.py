"""Whether wandb has an API key, so that it never asks for one while a study runs."""

from __future__ import annotations

import netrc
import os
from contextlib import suppress
from urllib.parse import urlsplit

from hpo_core.plugin import Fault, InvalidInput

_KEYS = ("WANDB_API_KEY", "WANDB_IDENTITY_TOKEN_FILE")


def mode_of(given: str | None) -> str:
    """Return the mode of an option, or that of the environment."""
    return given or os.environ.get("WANDB_MODE") or "online"


def require_login(mode: str | None) -> None:
    """Check that wandb has an API key, if it needs one.

    Args:
        mode: The mode as an option.

    Raises:
        InvalidInput: If it has none.
    """
    if mode_of(mode) != "online" or any(map(os.environ.get, _KEYS)):
        return
    host = urlsplit(os.environ.get("WANDB_BASE_URL", "https://api.wandb.ai")).hostname or ""
    with suppress(OSError, netrc.NetrcParseError):
        if netrc.netrc(os.environ.get("NETRC")).authenticators(host) is not None:
            return
    message = (
        f"is online, but there is no API key for {host}: run wandb login, set WANDB_API_KEY, or "
        "choose mode = 'offline'"
    )
    raise InvalidInput([Fault("mode", message)])
