"""Identity: access by the signed tokens of an identity provider."""

from adapters.identity.jwt_provider import JwtIdentityProvider

__all__ = ["JwtIdentityProvider"]
