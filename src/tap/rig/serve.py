"""Serves a recorded shoot as if it were live: every feed and the director, over real sockets."""

import asyncio
import os
import socket
import threading
from collections.abc import Collection
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import tomlkit
import uvicorn

from tap.clock import Clock, SystemClock
from tap.errors import InputError, TapError
from tap.feeds.shoot import Shoot, ShootCamera, load_shoot
from tap.rig.serve_director import DirectorWire, Line, read_director
from tap.rig.serve_feed import FeedPlayer, FeedState
from tap.rig.serve_http import Token, build_app
from tap.rig.serve_webrtc import Desk, WebRtcCodec
from tap.vocabulary import PROGRAM

LONG_SIDE = 960
RIG_TOKEN_ENV = "RIG_TOKEN"  # noqa: S105  the name of a variable, no secret
_LEAD_MS = 10_000.0
_SECONDS_TO_COME_UP = 10.0


class RigServer:
    """A shoot, live: `/{feed}/stream`, `/{feed}/snapshot`, `/director`, `/events`, `/status`.

    All feeds and the director are played once, from one shared instant, `start_ms`: something
    that has shoot time t goes out at t + `shift_ms`. That instant lies `start_in_s` after
    `start()`, so that whoever watches can connect before.

    Raises `InputError` where the shoot or a file of it can't be read or the port is taken.
    """

    def __init__(
        self,
        shoot: Shoot | Path,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        clock: Clock | None = None,
        start_in_s: float = 1.0,
        long_side: int = LONG_SIDE,
        token: Token | None = None,
        codec: WebRtcCodec = "H264",
    ) -> None:
        self.shoot = load_shoot(shoot) if isinstance(shoot, Path) else shoot
        self.host = host
        self.finished = threading.Event()
        """Set when every feed has ended and every message was sent."""
        self._wanted_port = port
        self._clock = clock or SystemClock()
        self._start_in_ms = start_in_s * 1000
        self._long_side = long_side
        self._token = token
        self._codec: WebRtcCodec = codec
        self._stop = threading.Event()
        self._up = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._players: dict[str, FeedPlayer] = {}
        self._threads: list[threading.Thread] = []
        self._server: uvicorn.Server | None = None
        self._port = 0
        self._start_ms = 0.0
        self._origin_ms = 0.0
        director = self.shoot.director
        self._wire = DirectorWire(read_director(director) if director else [])

    # ------------------------------------------------------------ life

    def start(self) -> Self:
        """Open every file, begin to serve, and play from `start_in_s` from now."""
        bound = self._bind()
        try:
            for feed, part in self._parts().items():
                self._players[feed] = FeedPlayer(part.media, part.started_at_ms, self._long_side)
        except BaseException:
            bound.close()
            self._close_files()
            raise
        self._serve(bound)
        self._origin_ms = _origin(
            min(part.started_at_ms for part in self._parts().values()), self._wire.lines
        )
        # A whole shift keeps whole stamps whole.
        self._start_ms = self._origin_ms + round(
            self._clock.now_ms() + self._start_in_ms - self._origin_ms
        )
        for feed, player in self._players.items():
            player.start(
                clock=self._clock,
                shift_ms=self.shift_ms,
                loop=self._running_loop(),
                stop=self._stop,
                name=feed,
            )
        saying = asyncio.run_coroutine_threadsafe(
            self._wire.play(self._clock.now_ms, self.shift_ms), self._running_loop()
        )

        def await_end() -> None:
            for player in self._players.values():
                player.join()
            while not (self._stop.is_set() or saying.done()):
                self._stop.wait(0.05)
            self.finished.set()

        watcher = threading.Thread(target=await_end, name="rig end", daemon=True)
        watcher.start()
        self._threads.append(watcher)
        return self

    def stop(self) -> None:
        """End all streams and close the sockets; harmless when repeated."""
        self._stop.set()
        if self._server is None:
            return
        for player in self._players.values():
            player.join(5.0)
        self._on_loop(self._wire.end)
        for player in self._players.values():
            self._on_loop(player.outlet.turn, "ended")
        self._server.should_exit = True
        for thread in self._threads:
            thread.join(_SECONDS_TO_COME_UP)
        self._server = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    # ------------------------------------------------------------ addresses and times

    @property
    def base_url(self) -> str:
        """`http://host:port`."""
        return f"http://{self.host}:{self._port}"

    def url(self, feed: str) -> str:
        """Where the MJPEG stream of `feed` (a camera's id or "program") is."""
        return f"{self.base_url}/{feed}/stream"

    def whep_url(self, feed: str) -> str:
        """Where `feed` is to be had over WebRTC, asked for by WHEP.

        The same pictures are at `/{feed}/offer` (POST of JSON) and `/{feed}/signal` (WebSocket).
        """
        return f"{self.base_url}/{feed}/whep"

    @property
    def feeds(self) -> tuple[str, ...]:
        """The ids of all feeds: the cameras in their order, then "program"."""
        return tuple(self._parts())

    @property
    def director_url(self) -> str:
        """The WebSocket of the director; the same messages are at `/events` (SSE)."""
        return f"ws://{self.host}:{self._port}/director"

    @property
    def start_ms(self) -> float:
        """When the shoot's first moment is (or was) played, Unix ms."""
        return self._start_ms

    @property
    def shift_ms(self) -> float:
        """What to add to a time of the shoot to get the time at which it is played."""
        return self._start_ms - self._origin_ms

    @property
    def duration_ms(self) -> float:
        """How long it plays, from `start_ms`, as far as the files say."""
        ends = [line.at_ms for line in self._wire.lines[-1:]]
        for feed, part in self._parts().items():
            ends.append(part.started_at_ms + (self._players[feed].duration_ms or 0.0))
        return max(ends) - self._origin_ms

    # ------------------------------------------------------------ faults

    def pause(self, feed: str) -> None:
        """The feed's connections stay, its pictures stop; time goes on without them."""
        self._turn(feed, "paused")

    def kill(self, feed: str) -> None:
        """Tear the feed's connections and refuse new ones."""
        self._turn(feed, "killed")

    def revive(self, feed: str) -> None:
        """Undo `pause` or `kill`."""
        self._turn(feed, "playing")

    # ------------------------------------------------------------ for the watcher

    def status(self) -> dict[str, Any]:
        """What `/status` says."""
        return {
            "session": self.shoot.session.external_id,
            "nowMs": self._clock.now_ms(),
            "startMs": self.start_ms,
            "shiftMs": self.shift_ms,
            "finished": self.finished.is_set(),
            "feeds": {
                feed: {
                    "state": player.outlet.state,
                    "sent": player.outlet.sent,
                    "damaged": player.damaged,
                    "skipped": player.skipped,
                    "viewers": len(player.outlet.viewers),
                    "dropped": sum(viewer.dropped for viewer in player.outlet.viewers),
                }
                for feed, player in self._players.items()
            },
            "director": {
                "sent": self._wire.sent,
                "messages": len(self._wire.lines),
                "listeners": len(self._wire.listeners),
            },
        }

    def write_config(
        self,
        path: Path,
        *,
        ledger: Path | None = None,
        token_env: str = RIG_TOKEN_ENV,
        webrtc: Collection[str] = (),
    ) -> None:
        """Write a `shoot.toml` that points at this server; the feeds in `webrtc` over WebRTC.

        Where the server asks for a token, `token_env` names the variable that will hold it.
        Raises `InputError` where one in `webrtc` is no feed of the shoot.
        """
        secret: dict[str, str] = {}
        if self._token is not None:
            secret = {
                "token_env": token_env,
                "token_in": self._token.where,
                "token_name": self._token.name,
            }
        for feed in webrtc:
            if feed not in self.feeds:
                raise InputError(
                    f"expected one of the shoot's feeds ({', '.join(self.feeds)}), got '{feed}'; "
                    "correct --webrtc"
                )

        def source(feed: str) -> dict[str, str]:
            if feed in webrtc:
                return {"kind": "webrtc", "url": self.whep_url(feed), **secret}
            return {"url": self.url(feed), **secret}

        session = self.shoot.session.model_dump(
            include={"external_id", "title", "notes", "mode"}, exclude_none=True
        )
        content: dict[str, Any] = {
            "session": session,
            "cameras": [
                {"id": camera.id, **_described(camera), **source(camera.id)}
                for camera in self.shoot.cameras
            ],
            "program": source(PROGRAM),
            "director": {"url": self.director_url, **secret},
        }
        if ledger is not None:
            content["ledger"] = {"kind": "embedded", "path": str(ledger.absolute())}
        path.write_text(tomlkit.dumps(content), encoding="utf-8")

    # ------------------------------------------------------------ inside

    def _parts(self) -> dict[str, Any]:
        return {
            **{camera.id: camera for camera in self.shoot.cameras},
            PROGRAM: self.shoot.program,
        }

    def _bind(self) -> socket.socket:
        try:
            bound = socket.create_server((self.host, self._wanted_port))
        except (OSError, OverflowError) as error:
            said = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else error
            raise InputError(
                f'expected a free port at {self.host}:{self._wanted_port}, got "{said}"; '
                "give another with --port"
            ) from error
        self._port = bound.getsockname()[1]
        return bound

    def _serve(self, bound: socket.socket) -> None:
        outlets = {feed: player.outlet for feed, player in self._players.items()}
        # Within one host two programs may share no address but that of the host itself.
        loopback = self.host.startswith("127.") or self.host == "localhost"
        app = build_app(
            outlets,
            self._wire,
            Desk(outlets, self._codec, loopback=loopback),
            status=self.status,
            on_loop=self._came_up,
            token=self._token,
        )
        settings = uvicorn.Config(
            app,
            log_config=None,
            log_level="critical",
            access_log=False,
            server_header=False,
            ws="websockets-sansio",
            timeout_graceful_shutdown=2,
        )
        self._server = uvicorn.Server(settings)
        server = self._server
        thread = threading.Thread(
            target=lambda: server.run(sockets=[bound]), name="rig server", daemon=True
        )
        thread.start()
        self._threads.append(thread)
        if not self._up.wait(_SECONDS_TO_COME_UP):
            raise TapError("the rig's server did not come up in 10 s; try again")

    def _came_up(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._up.set()

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            raise TapError("the rig is not being served: expected start() first")
        return self._loop

    def _turn(self, feed: str, state: FeedState) -> None:
        self._on_loop(self._players[feed].outlet.turn, state)

    def _on_loop(self, function: Any, *args: Any) -> None:
        loop = self._running_loop()
        if not loop.is_closed():
            loop.call_soon_threadsafe(function, *args)

    def _close_files(self) -> None:
        for player in self._players.values():
            player.join()
        self._players.clear()


def _described(camera: ShootCamera) -> dict[str, str]:
    extra = camera.model_extra or {}
    said = {"role": camera.role, "label": camera.label, "placement": extra.get("placement")}
    return {key: value for key, value in said.items() if isinstance(value, str)}


def _origin(first_picture_ms: float, lines: list[Line]) -> float:
    """The shoot's first moment: a message shortly before the first picture belongs to it."""
    said = [line.at_ms for line in lines if 0 <= first_picture_ms - line.at_ms <= _LEAD_MS]
    return min([first_picture_ms, *said])
