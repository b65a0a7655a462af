"""PyJWT: a key set at a URL, which its PyJWKClient fetches and keeps."""

import jwt

from conversation import ALG, AUDIENCE, ISSUER, converse

keys = jwt.PyJWKClient(f"{ISSUER}/.well-known/jwks.json")


def verify(token):
    key = keys.get_signing_key_from_jwt(token)
    return jwt.decode(token, key, algorithms=[ALG], issuer=ISSUER, audience=AUDIENCE)


converse(verify)
