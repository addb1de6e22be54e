"""An inference API that scores every alert with 0.5: enough to see bytes pass."""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    # One segment per answer.
    wbufsize = -1

    def reply(self, answer):
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.reply({"api_version": "1.0.0"})

    def do_POST(self):
        task = json.loads(self.rfile.read(int(self.headers["content-length"])))
        score = {"score": 0.5, "model_version": "fake", "latency_ms": 0.1, "explain_json": "{}"}
        self.reply([{"alert_id": alert["alert_id"], **score} for alert in task["alerts"]])

    def log_message(self, *args):
        pass


ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
