"""An ASGI service (Starlette) that calls others with httpx."""

import socket

import common

common.init()

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route


async def relay(request):
    headers = [(name.decode(), value.decode()) for name, value in request.headers.raw]
    first, rest = common.way(request.query_params.get("via", ""))
    following = None
    if first:
        async with httpx.AsyncClient(timeout=20) as client:
            response = await client.get(first, params=rest, headers=common.own_baggage())
            response.raise_for_status()
            following = response.json()
    return JSONResponse({"party": common.PARTY, "headers": headers, "next": following})


app = Starlette(routes=[Route(f"/{common.PARTY}/{{item}}", relay)])
listener = socket.create_server(("127.0.0.1", 0))
print(f"listening on http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
common.end_with_input()
uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off")).run(sockets=[listener])
