"""JSON of API keys in answers."""

import json

from domain.api_key import ApiKey, Token
from entrypoints.task_json import milliseconds

_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def api_key_json(key: ApiKey, token: Token | None = None) -> str:
    """Make the JSON of a key; with its token if it is new."""
    types = None if key.types is None else sorted(key.types)
    shown = f',"key":{_json(str(token))}' if token else ""
    return (
        f'{{"id":{_json(key.id)},"name":{_json(key.name)},"scopes":{_json(sorted(key.scopes))},'
        f'"types":{_json(types)},"own_only":{_json(key.own_only)},'
        f'"per_second":{_json(key.per_second)},"burst":{_json(key.burst)},"max_waiting":{_json(key.max_waiting)},'
        f'"created":{milliseconds(key.created)},"expires":{milliseconds(key.expires)},'
        f'"last_used":{milliseconds(key.last_used)},"revoked":{milliseconds(key.revoked)}{shown}}}'
    )
