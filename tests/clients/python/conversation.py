"""The driver's protocol: commands on standard input, answers on standard output."""

import os
import sys

ISSUER = os.environ["ISSUER"]
CLIENT_ID = os.environ["CLIENT_ID"]
CLIENT_SECRET = os.environ["CLIENT_SECRET"]
AUDIENCE = os.environ["AUDIENCE"]
ALG = os.environ["ALG"]


def converse(verify, get_token=None):
    """Answer commands until they end.

    `verify` gives the claims of a token, and raises for one that is not to be taken. `get_token`
    gives a token, and is left out where the library has no such grant.
    """
    for line in sys.stdin:
        command, *arguments = line.split()
        answer = obtain(get_token) if command == "token" else judge(verify, *arguments)
        print(answer, flush=True)


def obtain(get_token):
    if get_token is None:
        return "unsupported"
    try:
        return f"token {get_token()}"
    except Exception as error:
        return f"error {describe(error)}"


def judge(verify, token):
    try:
        return f"valid {verify(token)['sub']}"
    except Exception as error:
        return f"invalid {describe(error)}"


def describe(error):
    return " ".join(repr(error).split())
