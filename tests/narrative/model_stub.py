"""A server on this machine that speaks the OpenAI protocol, and can fail in every way that servers do."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class ModelStub:
    """What is asked, and what is answered.

    Attributes:
        answers: what to say next, the last one for ever: a text is the message's content; an int a status;
            "cut" breaks off, "hang" does not answer until the test ends; a dict is the whole choice.
        asked: bodies of the requests so far.
        schemas: whether it knows structured outputs.
    """

    def __init__(self):
        self.answers, self.asked, self.schemas = [], [], True
        self.ended = threading.Event()

    def next(self):
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


class _Handler(BaseHTTPRequestHandler):
    def log_message(self, *_):
        """Say nothing."""

    def do_POST(self):
        stub = self.server.stub
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        stub.asked.append(body)
        if "response_format" in body and not stub.schemas:
            return self._send(400, {"error": {"message": "response_format is unknown"}})
        answer = stub.next()
        if isinstance(answer, int):
            return self._send(answer, {"error": {"message": "no"}})
        if answer == "hang":
            stub.ended.wait(20)
            return None
        choice = answer if isinstance(answer, dict) else {"message": {"role": "assistant", "content": answer}}
        choice = {"index": 0, "finish_reason": "stop", **choice}
        usage = {"prompt_tokens": 90, "completion_tokens": 10, "total_tokens": 100}
        told = {
            "id": "x",
            "object": "chat.completion",
            "created": 1,
            "model": "m",
            "choices": [choice],
            "usage": usage,
        }
        return self._send(200, told, cut=answer == "cut")

    def _send(self, status, data, *, cut=False):
        text = json.dumps(data).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text[: len(text) // 2] if cut else text)
        self.close_connection = cut


@contextmanager
def serving():
    """The stub and its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    server.stub = ModelStub()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server.stub, f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.stub.ended.set()
        server.shutdown()
        server.server_close()
        thread.join()
