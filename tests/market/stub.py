"""A server on this machine that speaks as vendors do, and can fail in every way that they do.

with Stub("polygon") as stub:
    stub.holds("AAPL", raw)            # a raw frame: as traded, with dividend and split
    stub.fails("429")                  # from now on; `stub.fails(None)` to be well again
    stub.url, stub.environment         # where it is, and what a provider must find in the environment
"""

import json
import sys
import threading
import time
from dataclasses import dataclass, field
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, unquote, urlsplit

import pandas as pd
import stub_shapes

KEYS = {
    "polygon": "POLYGON",
    "massive": "MASSIVE",
    "finnhub": "FINNHUB",
    "alphavantage": "ALPHAVANTAGE",
}
CANARY = "CANARY-9f2b/7c41+e0=d8"
NOW = pd.Timestamp("2020-09-03T01:00:00Z")  # what the vendor's clock says
HTML = "<!DOCTYPE html><html><title>Down for maintenance</title><p>Your key {key} is fine.</html>"


@dataclass
class Asked:
    """One request: its path without the query, its query, its headers."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]


@dataclass
class Reply:
    """What is sent back; `data` as JSON unless it is a text."""

    data: object
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None  # send only so many bytes of it
    drip: float = 0.0  # seconds between its bytes

    @property
    def body(self) -> bytes:
        text = self.data if isinstance(self.data, str) else json.dumps(self.data)
        return text.encode()[: self.cut]


class _Server(ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        """Whoever hangs up while we answer is no mistake of ours."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class Stub:
    """One vendor. Everything it is asked is remembered in `asked`."""

    def __init__(self, name: str, delay: float = 0.0):
        self.name, self.delay = name, delay
        self.frames: dict[str, pd.DataFrame] = {}
        self.intraday: dict[str, pd.DataFrame] = {}
        self.asked: list[Asked] = []
        self.lacks: set[str] = set()  # parts of the vendor that the plan does not have
        self.fault = None
        self.page = 50_000  # rows on a page
        self.server = _Server(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        self.thread = threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    @property
    def environment(self) -> dict[str, str]:
        """Variables that make the provider of this name ask here."""
        if self.name == "yahoo":
            return {"YAHOO_BASE_URL": self.url}
        prefix = KEYS[self.name]
        return {f"{prefix}_API_KEY": CANARY, f"{prefix}_BASE_URL": self.url}

    def holds(self, symbol: str, raw: pd.DataFrame, intraday: pd.DataFrame | None = None) -> None:
        self.frames[symbol] = raw
        if intraday is not None:
            self.intraday[symbol] = intraday

    def fails(self, fault) -> None:
        """A name of `FAULTS`, a Reply for everything, a function of an Asked and the good Reply, or None."""
        self.fault = FAULTS[fault] if isinstance(fault, str) else fault

    def reply(self, asked: Asked) -> Reply:
        good = Reply(*getattr(stub_shapes, self.name)(self, asked.path, asked.query))
        if isinstance(self.fault, Reply):
            return self.fault
        return self.fault(self, asked, good) if self.fault else good

    def close(self) -> None:
        if self.thread.is_alive():
            self.server.shutdown()
            self.thread.join()
        self.server.server_close()

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_error):
        self.close()

    def _handler(self):
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                parts = urlsplit(self.path)
                headers = {name.lower(): value for name, value in self.headers.items()}
                asked = Asked(unquote(parts.path), dict(parse_qsl(parts.query)), headers)
                stub.asked.append(asked)
                time.sleep(stub.delay)
                reply = stub.reply(asked)
                if reply is None:  # hang up without a word
                    self.close_connection = True
                    return
                self._send(reply)

            def do_POST(self):
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self.do_GET()

            def _send(self, reply):
                self.send_response_only(reply.status)
                told = {"Date": format_datetime(NOW.to_pydatetime(), usegmt=True)}
                told |= {"Content-Type": "application/json", "Content-Length": str(len(reply.body))}
                for name, value in (told | reply.headers).items():
                    self.send_header(name, value)
                self.end_headers()
                for byte in [reply.body] if not reply.drip else [bytes([one]) for one in reply.body]:
                    self.wfile.write(byte)
                    time.sleep(reply.drip)

            def log_message(self, *_args):
                """Nothing on the terminal."""

        return Handler


def _truncated(_stub, _asked, good):
    return Reply(good.data, good.status, cut=len(good.body) // 2)


def _wrong_symbol(stub, asked, _good):
    """The answer for another symbol's question."""
    (symbol,) = (name for name in stub.frames if name in asked.path or name in asked.query.values())
    other = stub_shapes.other(stub.frames[symbol])
    path = asked.path.replace(symbol, "WRONG")
    query = {name: value.replace(symbol, "WRONG") for name, value in asked.query.items()}
    with_other = type("Other", (), {**vars(stub), "frames": {"WRONG": other}, "url": stub.url})
    return Reply(*getattr(stub_shapes, stub.name)(with_other, path, query))


def _echo(status, text):
    """A sentence with the key in it, where each vendor puts its sentences."""

    def reply(stub, _asked, _good):
        said = text.format(key=CANARY)
        return Reply(stub_shapes.sentence(stub.name, said), status)

    return reply


FAULTS = {
    "429": Reply(HTML.format(key=CANARY), 429),
    "429 with seconds": Reply({"error": f"slow down, {CANARY}"}, 429, {"Retry-After": "17"}),
    "429 with a date": Reply({}, 429, {"Retry-After": "Thu, 03 Sep 2020 01:00:42 GMT"}),
    "429 with a reset": Reply({}, 429, {"X-Ratelimit-Reset": str(int(NOW.timestamp()) + 33)}),
    "limit sent as 200": _echo(
        200, "We have detected your API key as {key} and our standard API rate limit is 25 requests per day."
    ),
    "burst sent as 200": _echo(200, "Please consider spreading out your free API requests more sparingly."),
    "500": Reply(f"Internal error near {CANARY}", 500),
    "503 with seconds": Reply(HTML.format(key=CANARY), 503, {"Retry-After": "120"}),
    "401": _echo(401, "Unknown API Key {key}"),
    "403": _echo(403, "{key}: You are not entitled to this data. Please upgrade your plan."),
    "premium sent as 200": _echo(200, "Thank you {key}! This is a premium endpoint."),
    "404": _echo(404, "Ticker not found, {key}."),
    "unknown sent as 200": _echo(200, "Invalid API call for {key}. Please retry."),
    "maintenance page": Reply(HTML.format(key=CANARY)),
    "truncated": _truncated,
    "not JSON": Reply(f"pong {CANARY}"),
    "other JSON": Reply([{"surprise": CANARY}]),
    "wrong types": Reply({"s": "ok", "t": "x", "results": CANARY, "Meta Data": CANARY, "chart": CANARY}),
    "nothing": Reply(""),
    "hang-up": lambda *_: None,
    "redirect": Reply("", 302, {"Location": f"https://evil.example/{CANARY}"}),
    "wrong symbol": _wrong_symbol,
    "bad encoding": Reply({}, headers={"Content-Encoding": "gzip"}),
}
