"""jwcrypto: it has no HTTP of its own, so that the key set is fetched for each token."""

import json
from urllib.request import urlopen

from jwcrypto.jwk import JWKSet
from jwcrypto.jwt import JWT

from conversation import ALG, AUDIENCE, ISSUER, converse


def verify(token):
    with urlopen(f"{ISSUER}/.well-known/jwks.json", timeout=10) as answer:
        keys = JWKSet.from_json(answer.read())
    expected = {"iss": ISSUER, "aud": AUDIENCE, "exp": None, "sub": None}
    verified = JWT(jwt=token, key=keys, algs=[ALG], check_claims=expected, expected_type="JWS")
    return json.loads(verified.claims)


converse(verify)
