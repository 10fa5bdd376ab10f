"""The sandbox over HTTP, for other languages and for hands: Starlette on uvicorn."""

from __future__ import annotations

import anyio
import anyio.to_thread

from medsign.errors import MissingExtra
from medsign.sandbox.desk import Delivery
from medsign.sandbox.facade import Sandbox
from medsign.sandbox.faults import FaultKind
from medsign.sandbox.routing import Reply, Request

try:
    import uvicorn
    from starlette.requests import Request as HttpRequest
    from starlette.responses import Response
    from starlette.types import Receive, Scope, Send
except ModuleNotFoundError:
    raise MissingExtra("the sandbox over HTTP", "sandbox") from None


class Application:
    """The ASGI application of a sandbox.

    Args:
        sandbox: What answers.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        http = HttpRequest(scope, receive)
        request = Request(
            method=http.method,
            path=scope["path"],
            query=dict(http.query_params),
            # Lines of one name belong together: a second one must not pass unseen.
            headers={name: ", ".join(http.headers.getlist(name)) for name in http.headers},
            body=await http.body(),
            # Not http.url, which decodes and encodes the path anew.
            target=_target(scope, http.headers.get("host", "")),
        )
        delivery = await anyio.to_thread.run_sync(self._sandbox.deliver, request)
        if delivery.reply is None or delivery.fault:
            await _fail(delivery, receive, send)
        else:
            reply = delivery.reply
            await Response(reply.body, reply.status, dict(reply.headers))(scope, receive, send)


def _target(scope: Scope, host: str) -> str:
    query = scope["query_string"].decode("latin-1")
    path = scope["raw_path"].decode("latin-1")
    return f"{scope['scheme']}://{host}{path}{'?' if query else ''}{query}"


async def _fail(delivery: Delivery, receive: Receive, send: Send) -> None:
    fault, reply = delivery.fault, delivery.reply
    assert fault is not None
    match fault.kind:
        case FaultKind.TIMEOUT | FaultKind.TIMEOUT_BEFORE:
            while (await receive())["type"] != "http.disconnect":
                pass
        case FaultKind.TRUNCATED | FaultKind.SLOW_BODY if reply:
            half = len(reply.body) // 2
            await _start(send, reply)
            await send({"type": "http.response.body", "body": reply.body[:half], "more_body": True})
            if fault.kind is FaultKind.SLOW_BODY:
                await anyio.sleep(fault.seconds)
                await send({"type": "http.response.body", "body": reply.body[half:]})
        case _:
            # uvicorn hangs up on an answer that stops before the length it promised.
            await _start(send, Reply(body=b"-"))


async def _start(send: Send, reply: Reply) -> None:
    headers = {**reply.headers, "Content-Length": str(len(reply.body))}
    await send(
        {
            "type": "http.response.start",
            "status": reply.status,
            "headers": [(k.lower().encode(), v.encode()) for k, v in headers.items()],
        }
    )


def server(sandbox: Sandbox, *, host: str = "127.0.0.1", port: int = 8765) -> uvicorn.Server:
    """Return a server, ready to ``run()``.

    Args:
        sandbox: What answers; its `base_url` should be the address given here.
        host: Address to listen on. The sandbox has no secrets and no protection: keep it local.
        port: Port; 0 for any free one.
    """
    return uvicorn.Server(
        uvicorn.Config(
            Application(sandbox),
            host=host,
            port=port,
            lifespan="off",
            ws="none",
            log_level="warning",
        )
    )
