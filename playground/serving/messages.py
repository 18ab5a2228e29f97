"""The messages of a browser that the app acts on; all others are dropped before they act.

A page of Streamlit's may ask its server for more than this app ever offers, and the server asks
nobody's leave: empty the caches of all students, tell about the git repository, write files into
the app's folder. Whatever is not needed here is refused, and so is what a later Streamlit adds
until somebody has looked at it (``tests/test_serving.py`` compares with the installed one).

Nor does a timer press a button. When one ticks in the moment of a press, Streamlit's browser side
(1.67) sends the press twice, with the tick and then as itself: a run that was just paused went on.
"""

from __future__ import annotations

import logging
from typing import Final

from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.proto.BackMsg_pb2 import BackMsg

ALLOWED: Final = frozenset(
    {
        "rerun_script",  # a page was opened, a widget moved, a timer ticked
        "stop_script",
        "app_heartbeat",
        "file_urls_request",  # before an upload
        "deferred_file",  # a download that is made when it is asked for
        "dataframe_chunk",  # the next rows of a long table
    }
)
REFUSED: Final = frozenset(
    {
        "clear_cache",  # of all users
        "set_run_on_save",
        "load_git_info",  # the repository's address, the names of changed files
        "debug_disconnect_websocket",
        "debug_shutdown_runtime",
        "install_skills",  # writes files into the app's folder
        "dismiss_skills_nudge",  # writes into the home directory
    }
)
PRESSES: Final = ("trigger_value", "string_trigger_value", "json_trigger_value")
"""What a widget sends once, when it is pressed."""
INVALID_DATA: Final = 1007  # a websocket's code for bytes that are no message


def kind(message: BackMsg) -> str | None:
    """What a message asks for; None: nothing that could be named."""
    name: str | None = message.WhichOneof("type")
    if name == "backend_operation_request":  # an envelope for several
        name = message.backend_operation_request.WhichOneof("payload")
    return name


def press_nothing(message: BackMsg) -> bool:
    """Take out of a message that a timer sent what was pressed meanwhile. Was there anything?"""
    asked = message.rerun_script
    if not asked.is_auto_rerun:
        return False
    widgets = asked.widget_states.widgets
    stays = [one for one in widgets if one.WhichOneof("value") not in PRESSES]
    if len(stays) == len(widgets):
        return False
    del widgets[:]
    widgets.extend(stays)
    return True


class Known:
    """Lets the known messages of a websocket through, and no others."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            await self.app(scope, receive, send)
            return
        told = False

        async def known() -> Message:
            nonlocal told
            while True:
                message = await receive()
                data = message.get("bytes")
                if message["type"] != "websocket.receive" or data is None:
                    return message
                try:
                    asked = BackMsg.FromString(data)
                except DecodeError:
                    await send({"type": "websocket.close", "code": INVALID_DATA})
                    return {"type": "websocket.disconnect", "code": INVALID_DATA}
                if press_nothing(asked):
                    return {**message, "bytes": asked.SerializeToString()}
                name = kind(asked)
                if name in ALLOWED:
                    return message
                if not told:  # once a connection: whoever sends these may send many
                    told = True
                    logging.getLogger(__name__).warning("Refused a message of kind %s", name)

        await self.app(scope, known, send)


__all__ = ["ALLOWED", "REFUSED", "Known", "kind", "press_nothing"]
