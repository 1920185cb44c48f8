"""JSON Web Tokens of an identity provider, checked by PyJWT."""

from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple

import jwt
from jwt.exceptions import PyJWTError

from adapters.identity.signing_keys import SigningKeys
from application.errors import Unauthenticated
from application.ports.clock import Clock
from domain.access import Access, Scope
from domain.ids import Owner

ALGORITHMS = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "EdDSA"),
)
"""Those by which the owner of a private key signs. A secret that the service shares would let it sign itself."""
OPTIONS: Any = {
    "require": ["exp", "iss", "aud", "sub"],
    # Times are checked by the clock of the service.
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
}
LEEWAY_SECONDS = 10.0
"""Seconds by which the clock of the provider may differ."""
MAX_REMEMBERED = 1_000
OWN_ONLY = "own"
"""The word among the scopes for a sender that sees only its own tasks."""
MAX_SUBJECT_CHARACTERS = 200


class Verified(NamedTuple):
    """The access that a token gives, from and until when, in Unix seconds."""

    access: Access
    since: float
    until: float

    def is_valid(self, now: datetime) -> bool:
        """Whether the token is accepted."""
        return self.since - LEEWAY_SECONDS <= now.timestamp() < self.until + LEEWAY_SECONDS


class JwtIdentityProvider:
    """Implements application.ports.identity_provider.IdentityProvider. Thread-safe.

    `scopes_claim`: the name of the claim with the scopes: a text with spaces between them, or a list of texts.
    """

    def __init__(self, issuer: str, audience: str, key_set: str, scopes_claim: str, clock: Clock) -> None:
        self._issuer = issuer
        self._audience = audience
        self._keys = SigningKeys(key_set, clock)
        self._scopes_claim = scopes_claim
        self._clock = clock
        self._verified: OrderedDict[bytes, Verified] = OrderedDict()

    def access(self, token: str) -> Access:
        """The rights that a token gives. Raises Unauthenticated. Raises StorageUnavailable: no keys could be read."""
        digest = sha256(token.encode()).digest()
        found = self._verified.get(digest) or self._verify(token)
        if not found.is_valid(self._clock.now()):
            self._verified.pop(digest, None)
            raise Unauthenticated("the token has expired, or is not valid yet")
        self._verified[digest] = found
        while len(self._verified) > MAX_REMEMBERED:
            self._verified.popitem(last=False)
        return found.access

    def _verify(self, token: str) -> Verified:
        try:
            key = self._keys.get(jwt.get_unverified_header(token).get("kid"))
            if key is None:
                raise Unauthenticated("the token is signed with an unknown key")
            claims = jwt.decode(
                token, key, algorithms=ALGORITHMS, issuer=self._issuer, audience=self._audience, options=OPTIONS
            )
            return Verified(self._access(claims), float(claims.get("nbf", 0)), float(claims["exp"]))
        except (PyJWTError, ValueError, TypeError) as error:
            raise Unauthenticated(f"the token is not valid: {error}") from None

    def _access(self, claims: Mapping[str, Any]) -> Access:
        given = claims.get(self._scopes_claim, "")
        words = {*(given.split() if isinstance(given, str) else given if isinstance(given, list) else ())}
        subject = str(claims["sub"])
        if len(subject) > MAX_SUBJECT_CHARACTERS:
            raise ValueError("its subject is too long")
        return Access(
            # No API key has an id like that.
            owner=Owner(f"sub:{subject}"),
            scopes=frozenset(scope for scope in Scope if scope in words),
            own_only=OWN_ONLY in words,
        )
