"""Lints one exchange of HTTP and prints its notes, each as a line of JSON.

Reads a JSON object: "method", "request" (the head of the request as it was sent), and "response"
(what came back, byte for byte as Latin-1).
"""

import json
import sys

from httplint.message import HttpRequestLinter, HttpResponseLinter


def fields(head):
    """The header fields of a head, as names and values."""
    pairs = (line.split(":", 1) for line in head.split("\r\n")[1:])
    return [(name.encode("latin-1"), value.strip().encode("latin-1")) for name, value in pairs]


exchange = json.load(sys.stdin)
request_head = exchange["request"].rstrip("\r\n")
response_head, body = exchange["response"].split("\r\n\r\n", 1)

request = HttpRequestLinter()
method, target, version = request_head.split("\r\n", 1)[0].split(" ", 2)
uri = "http://localhost" + target
request.process_request_topline(method.encode(), uri.encode(), version.split("/")[1].encode())
request.process_headers(fields(request_head))
request.finish_content(True)

response = HttpResponseLinter()
response.request = request
response.is_head_response = method == "HEAD"
version, status, phrase = response_head.split("\r\n", 1)[0].split(" ", 2)
response.process_response_topline(version.split("/")[1].encode(), status.encode(), phrase.encode())
response.process_headers(fields(response_head))
response.feed_content(body.encode("latin-1"))
response.finish_content(True)


def show(note):
    print(json.dumps({"level": note.level.value, "subject": note.subject, "summary": note.summary}))
    for inner in note.subnotes:
        show(inner)


for note in response.notes:
    show(note)
