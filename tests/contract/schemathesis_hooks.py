"""The description as it is for one client: what a schema cannot say, because it differs from client
to client, is said here before Schemathesis reads it.

The client is named by CONTRACT_USERNAME and CONTRACT_PASSWORD. CONTRACT_METHOD says how it
authenticates: "basic", for which the one way is then HTTP Basic, or "body".
"""

import os

import schemathesis

USERNAME = os.environ["CONTRACT_USERNAME"]
PASSWORD = os.environ["CONTRACT_PASSWORD"]
IS_BASIC = os.environ["CONTRACT_METHOD"] == "basic"

# What of a request this client cannot send, since a schema makes no signatures.
SIGNED = ["client_assertion", "client_assertion_type"]


@schemathesis.hook
def before_load_schema(context, raw_schema):
    schemas = raw_schema["components"]["schemas"]
    for name in ["TokenRequest", "IntrospectionRequest", "ClientProof"]:
        authenticate(schemas[name], "client_id", "client_secret")
    for name in ["Credentials", "CredentialsForm"]:
        authenticate(schemas[name], "username", "password")
    grant(schemas["TokenRequest"])
    for path, item in raw_schema["paths"].items():
        for operation in item.values():
            narrow(path, operation)


def authenticate(schema, username, password):
    """The client has these credentials, and sends them in one place."""
    members = schema["properties"]
    for name in SIGNED:
        members.pop(name, None)
    schema.pop("dependentRequired", None)
    own = {username: USERNAME, password: PASSWORD}
    for name, value in own.items():
        if IS_BASIC:
            del members[name]
        else:
            members[name] = {"type": "string", "const": value}
    others = [name for name in schema.get("required", []) if name not in own]
    schema["required"] = others if IS_BASIC else others + list(own)


def grant(schema):
    """The client may have these scopes and these services; what is empty counts as not sent."""
    members = schema["properties"]
    members["scope"] = {"type": "string", "enum": ["read", "write", "read write"]}
    members["resource"] = {"type": "string", "enum": ["https://api.example", ""]}
    members["audience"] = {"type": "string", "enum": ["https://api.example", ""]}


def narrow(path, operation):
    """One way to authenticate, no proof of a key, and no example of another client."""
    if not isinstance(operation, dict) or "security" not in operation:
        return
    # Without credentials a request to /auth lacks what it is about: it is malformed, not refused.
    ways = [{"basic": []}, {}] if path == "/auth" else [{"basic": []}]
    operation["security"] = ways if IS_BASIC else []
    operation["parameters"] = [one for one in operation["parameters"] if one["name"] != "DPoP"]
    body = operation["requestBody"]
    body["required"] = body["required"] or not IS_BASIC
    for content in body["content"].values():
        content.pop("example", None)
