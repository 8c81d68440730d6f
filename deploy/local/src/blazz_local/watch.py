"""What the demo workspace's websocket says, in a terminal, until Ctrl-C: the Pusher protocol with a plain client."""

import json
from functools import partial
from typing import Any

import aiohttp

from blazz_local.errors import LocalError
from blazz_local.folder import Folder
from blazz_local.status import describe
from blazz_local.telling import Teller


class Refused(LocalError):
    """The gateway did not admit the socket, or the notifier did not take the subscription."""

    code = "refused"


async def watch(folder: Folder) -> None:
    """Subscribe to `private-workspace.{id}` as the demo's API token may, and print every event. Raises `NotRunning`."""
    description = describe(folder)
    demo, socket = description["demo"], description["websocket"]
    channel = f"private-workspace.{demo['workspace_id']}"
    url = f"ws://{socket['host']}:{socket['port']}/app/{socket['key']}?protocol=7"
    teller = Teller(partial(print, flush=True))
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as connection:
        async for frame in connection:
            if frame.type is not aiohttp.WSMsgType.TEXT:
                break
            event: dict[str, Any] = json.loads(frame.data)
            match event["event"]:
                case "pusher:connection_established":
                    asked = {"socket_id": json.loads(event["data"])["socket_id"], "channel_name": channel}
                    admission = await _admission(session, description["gateway_url"], demo["api_token"], asked)
                    data = {"channel": channel, **admission}
                    await connection.send_json({"event": "pusher:subscribe", "data": data})
                case "pusher_internal:subscription_succeeded":
                    print(f"listening to {channel}; Ctrl-C ends", flush=True)
                case "pusher:ping":
                    await connection.send_json({"event": "pusher:pong", "data": {}})
                case "pusher:error" | "pusher:subscription_error":
                    raise Refused(f"the notifier refused {channel}: {event.get('data')}")
                case name:
                    teller.tell(name, event.get("data"))
        teller.flush()


async def _admission(session: aiohttp.ClientSession, gateway: str, token: str, asked: dict[str, str]) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {token}"}
    async with session.post(f"{gateway}/broadcasting/auth", json=asked, headers=headers) as response:
        text = await response.text()
        if response.status != 200:
            raise Refused(f"the gateway refused the socket ({response.status}): {text[:300]}")
        return dict(json.loads(text))
