"""Code that submits the same task as a form: a line for a shell, and a program in Python."""

import json
import re
from collections.abc import Mapping
from shlex import quote
from typing import Any
from urllib.parse import quote as percent_encoded
from urllib.parse import urlencode

from domain.ids import DEFAULT_TYPE, TypeName
from entrypoints.http.pages.forms.pieces import Digits, value
from entrypoints.http.requests.queries import LABEL_PREFIX

MAX_CODE_CHARACTERS = 64 * 1024
"""Length of arguments up to which they stand in the code itself; longer ones are read from a file."""
FILE = "arguments.json"
MAX_LINE_CHARACTERS = 88
_CONSTANTS = {True: "True", False: "False", None: "None"}
_UNPRINTABLE = re.compile(r"[^\x20-\x7e]")


def curl(url: str, type: TypeName, args: str, options: Mapping[str, str], key: str | None) -> str:
    """The line that submits the task, for any POSIX shell."""
    query = f"?{urlencode(options, quote_via=percent_encoded)}" if options else ""
    path = "/task/new" if type == DEFAULT_TYPE else f"/task/new/{percent_encoded(type, safe='')}"
    header = [f"-H {quote(f'Idempotency-Key: {key}')}"] if key else []
    data = f"-d {quote(_printable(args))}" if len(args) <= MAX_CODE_CHARACTERS else f"--data-binary @{FILE}"
    return " \\\n  ".join(
        [f"curl -X POST {quote(f'{url}{path}{query}')}", "-H 'Content-Type: application/json'", *header, data]
    )


def python(url: str, type: TypeName, args: str, options: Mapping[str, str], key: str | None) -> str:
    """The program that submits the task by the client of flask_tasks."""
    is_long = len(args) > MAX_CODE_CHARACTERS
    shown = f'json.loads(open("{FILE}").read())' if is_long else _argument_lines(value(args))
    labels = {name: text for name, text in options.items() if name.startswith(LABEL_PREFIX)}
    named = {name: _option(text) for name, text in options.items() if name not in labels}
    named |= (
        {"labels": _literal({name.removeprefix(LABEL_PREFIX): text for name, text in labels.items()})} if labels else {}
    )
    named |= {"key": repr(key)} if key else {}
    more = "".join(f", {name}={text}" for name, text in named.items())
    imports = "import json\n\n" if is_long else ""
    return (
        f"{imports}from flask_tasks import Client\n\n"
        f"with Client({_string(url)}) as client:\n"
        f"    task = client.submit({_string(type)}, {shown}{more})\n"
        f"    print(task.id, task.status)\n"
    )


def _printable(text: str) -> str:
    """JSON text with escapes in place of characters that a terminal may hide or act on. The value is the same."""
    return _UNPRINTABLE.sub(
        lambda sign: sign[0] if sign[0].isprintable() or sign[0] in "\n\t" else _escaped(sign[0]), text
    )


def _escaped(sign: str) -> str:
    return json.dumps(sign)[1:-1]


def _argument_lines(args: Any) -> str:
    line = _literal(args)
    if len(line) <= MAX_LINE_CHARACTERS or not isinstance(args, dict):
        return line
    return "{\n" + "".join(f"        {_string(name)}: {_literal(each)},\n" for name, each in args.items()) + "    }"


def _literal(found: Any) -> str:
    """The Python literal of a value, with each number as it was typed."""
    match found:
        case Digits(text):
            return text
        case dict():
            return "{" + ", ".join(f"{_string(name)}: {_literal(each)}" for name, each in found.items()) + "}"
        case list():
            return f"[{', '.join(map(_literal, found))}]"
        case str():
            return _string(found)
    return _CONSTANTS[found]


def _string(text: str) -> str:
    """The Python literal of a text, in double quotes where it has none. What is not printable is escaped."""
    shown = repr(text)
    return f'"{shown[1:-1]}"' if shown.startswith("'") and '"' not in shown and "\\'" not in shown else shown


def _option(text: str) -> str:
    return text if re.fullmatch(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?", text) else _string(text)
