"""jwcrypto: it has no HTTP of its own, so that the key set is fetched for each token.

Without `check_claims` it looks at both `exp` and `nbf`; with that, only at the claims named there,
each of which a token must then have. So the others are compared here.
"""

import json
from urllib.request import urlopen

from jwcrypto.jwk import JWKSet
from jwcrypto.jwt import JWT

from conversation import ALG, AUDIENCE, ISSUER, converse


def verify(token):
    with urlopen(f"{ISSUER}/.well-known/jwks.json", timeout=10) as answer:
        keys = JWKSet.from_json(answer.read())
    claims = json.loads(JWT(jwt=token, key=keys, algs=[ALG], expected_type="JWS").claims)
    if claims["iss"] != ISSUER:
        raise ValueError(f"The token is issued by {claims['iss']}")
    if claims["aud"] != AUDIENCE:
        raise ValueError(f"The token is meant for {claims['aud']}")
    return claims


converse(verify)
