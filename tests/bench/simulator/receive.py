"""A webhook receiver that counts, as a process of its own: `python receive.py`; prints its port, then serves."""

import asyncio

import orjson
import uvloop
from aiohttp import web


async def main() -> None:
    """Serve until killed: POST /hook counts statuses, GET /count tells how many."""
    counted = 0

    async def hook(request: web.Request) -> web.Response:
        nonlocal counted
        body = orjson.loads(await request.read())
        counted += sum(len(c["value"].get("statuses", ())) for e in body["entry"] for c in e["changes"])
        return web.Response()

    async def count(_: web.Request) -> web.Response:
        return web.Response(text=str(counted))

    app = web.Application(client_max_size=4 * 1024 * 1024)
    app.router.add_post("/hook", hook)
    app.router.add_get("/count", count)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


uvloop.run(main())
