"""What every request and every message goes through before Streamlit sees it."""

from __future__ import annotations

from starlette.middleware import Middleware

from playground.serving import messages, web


def middleware() -> list[Middleware]:
    """From the outermost to the innermost."""
    return [Middleware(web.Answers), Middleware(web.Compressed), Middleware(messages.Known)]


__all__ = ["middleware"]
