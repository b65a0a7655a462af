"""Authlib: discovery, the grant, and its validator of JWT access tokens.

Authlib leaves it to the program where the key set comes from. This is what its documentation
shows: the set is fetched once, and kept for as long as the program's own cache keeps it.
"""

import os

import requests
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc8414 import get_well_known_url
from authlib.oauth2.rfc9068 import JWTBearerTokenValidator
from joserfc.jwk import KeySet

from conversation import AUDIENCE, CLIENT_ID, CLIENT_SECRET, ISSUER, converse

os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"  # the server speaks plain HTTP in tests

metadata = requests.get(get_well_known_url(ISSUER, external=True), timeout=10).json()
session = OAuth2Session(CLIENT_ID, CLIENT_SECRET)
cache = {}


class Validator(JWTBearerTokenValidator):
    def get_jwks(self):
        if "jwks" not in cache:
            answer = requests.get(metadata["jwks_uri"], timeout=10)
            cache["jwks"] = KeySet.import_key_set(answer.json())
        return cache["jwks"]


validator = Validator(ISSUER, AUDIENCE)


def get_token():
    endpoint = metadata["token_endpoint"]
    token = session.fetch_token(endpoint, grant_type="client_credentials", resource=AUDIENCE)
    return token["access_token"]


def verify(token):
    claims = validator.authenticate_token(token)
    validator.validate_token(claims, scopes=None, request=None)
    return claims


converse(verify, get_token)
