"""The web application: one hub behind it, its jobs rung by what comes in."""

import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final

import uvicorn
from fastapi import FastAPI
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Scope

from hub.api import contract, health, metrics, operating, pages, problems, rest
from hub.api.guard import Guard, agree
from hub.api.headers import SecurityHeaders
from hub.api.listening import configured
from hub.api.metrics import Figures
from hub.api.operating import Jobs
from hub.api.webhooks import PATH, Webhooks
from hub.steps.hub import Hub

SWITCH_S: Final = 0.0005
"""How long a job may keep a request waiting for the interpreter; Python's own 5 ms is paid several times a request."""


def create_app(hub: Hub, jobs: Jobs, *, no_login: bool = False) -> FastAPI:
    """The application; its jobs run from when the server begins to serve until it has ended to.

    Args:
        no_login: who asks from this machine without a token reads as a viewer.
    """

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        jobs.start()
        try:
            async with door.writing():
                yield
        finally:
            jobs.stop()

    door = Webhooks(hub, jobs.ring)
    app = FastAPI(title="orderhub", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    app.state.guard = Guard(hub, no_login=no_login)
    app.add_middleware(SecurityHeaders)
    problems.add_to(app)
    app.state.deliveries = door.counts
    first(app, PATH, door)
    app.include_router(operating.router(hub, jobs))
    app.include_router(health.router(hub, jobs))
    app.include_router(pages.router(hub))
    figures = Figures(hub)
    app.include_router(metrics.router(figures))
    app.add_middleware(figures.watch)
    for router in rest.routers(hub):
        app.include_router(router)
    app.include_router(contract.router())
    agree(app.routes)
    return app


def first(app: FastAPI, path: str, endpoint: ASGIApp) -> None:
    """What is posted there goes to this endpoint, before anything else of the application is asked."""
    app.router.routes.insert(0, _Named(path, endpoint, methods=["POST"]))


class _Named(Route):
    """A route that those before it see by name, as they do the framework's own: the figures go by it."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        match, found = super().matches(scope)
        return match, {**found, "route": self}


def bound(host: str, port: int) -> socket.socket:
    """The address is this process's, so that what comes meanwhile waits there.

    Raises:
        OSError: it is another's, or none of this machine.
    """
    family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    listens = socket.socket(family, kind)
    try:
        listens.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listens.bind(address)
    except OSError:
        listens.close()
        raise
    return listens


def run(app: FastAPI, listens: socket.socket, serving: Callable[[], None] = lambda: None) -> None:
    """The application is served until the process is told to stop; what is under way then is finished.

    Args:
        serving: is told once requests are answered.
    """
    sys.setswitchinterval(SWITCH_S)
    with listens:
        _Server(configured(app), serving).run([listens])


class _Server(uvicorn.Server):
    """Ends in order on SIGINT and SIGTERM; uvicorn's own raises the signal again afterwards."""

    def __init__(self, config: uvicorn.Config, serving: Callable[[], None]) -> None:
        super().__init__(config)
        self._serving = serving

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._serving()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        before = {sign: signal.signal(sign, self.handle_exit) for sign in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for sign, handler in before.items():
                signal.signal(sign, handler)
