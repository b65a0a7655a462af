"""Opens the keys of a database with its secret, and signs with each that is published.

Told ISSUER, DATABASE and NOT_MY_KEY in its environment, it prints one JWS a line, each of which the
published key set has verified.
"""

import json
import os
import sqlite3
from urllib.request import urlopen

from argon2.low_level import Type, hash_secret_raw
from jwcrypto.common import base64url_decode, base64url_encode
from jwcrypto.jwe import JWE
from jwcrypto.jwk import JWK, JWKSet
from jwcrypto.jws import JWS

PAYLOAD = "signed with a key that was stored"


def read(database):
    """The derivation of the key-encryption key, and every stored key."""
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    query = "SELECT value FROM meta WHERE name = 'kek_derivation'"
    (derivation,) = connection.execute(query).fetchone()
    rows = connection.execute("SELECT key FROM keys").fetchall()
    connection.close()
    return json.loads(derivation), [key.decode() for (key,) in rows]


def key_encryption_key(secret, derivation):
    raw = hash_secret_raw(
        secret.encode(),
        base64url_decode(derivation["salt"]),
        time_cost=derivation["passes"],
        memory_cost=derivation["memoryKib"],
        parallelism=derivation["lanes"],
        hash_len=32,
        type=Type.ID,
    )
    return JWK(kty="oct", k=base64url_encode(raw))


def open_key(text, master):
    sealed = JWE()
    sealed.deserialize(text, master)
    return JWK.from_json(sealed.payload.decode())


def sign(key):
    jws = JWS(PAYLOAD)
    jws.add_signature(key, protected=json.dumps({"alg": key["alg"], "kid": key["kid"]}))
    return jws.serialize(compact=True)


def verify(text, published, alg):
    jws = JWS()
    jws.allowed_algs = [alg]
    jws.deserialize(text, published)


def main():
    derivation, stored = read(os.environ["DATABASE"])
    master = key_encryption_key(os.environ["NOT_MY_KEY"], derivation)
    with urlopen(f"{os.environ['ISSUER']}/.well-known/jwks.json", timeout=10) as answer:
        published = JWKSet.from_json(answer.read())
    for key in (open_key(text, master) for text in stored):
        if published.get_key(key["kid"]) is not None:
            text = sign(key)
            verify(text, published, key["alg"])
            print(text)


main()
