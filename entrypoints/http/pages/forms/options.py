"""The options of a task in a form: texts that become the parameters of the query of the API."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from marshmallow import ValidationError

from domain.idempotency_key import idempotency_key
from domain.ids import IdempotencyKey
from domain.options import Options
from domain.task import Task
from domain.task_type import TaskType
from entrypoints.http.pages.formats import labels
from entrypoints.http.pages.words import are_pairs, pairs_of, text_of
from entrypoints.http.requests.idempotency_key import KEY as KEY_HEADER
from entrypoints.http.requests.queries import LABEL_PREFIX, SubmitQuery, task_request_options

PREFIX = "o."
KEY, LABELS = "key", "labels"
FIELDS: Mapping[str, tuple[str, str]] = {
    "delay": ("Delay", "Seconds before it may start."),
    "run_at": ("Not before", "In UTC. Not together with a delay."),
    "priority": ("Priority", "-100 to 100; a higher one starts first."),
    "max_attempts": ("Attempts", "How many times it may start if it fails."),
    "max_losses": ("Losses", "How many times it is started again if its handler dies."),
    "timeout": ("Timeout", "Seconds that an attempt may take."),
    "ttl": ("Time to live", "Seconds until it is deleted."),
    "callback": ("Callback", "Address that is called when it has finished."),
    LABELS: ("Labels", "Names with values, by which it is found: user=ana run=7."),
    KEY: ("Idempotency key", "A name of yours: a second task with it is not made."),
}
"""The label and the help of each option."""
QUERY = SubmitQuery()
NOT_PAIRS = "Must be names with values, as in user=ana run=7, and in quotes where there are spaces."


@dataclass
class FilledOptions:
    """The options as they were typed, and the mistakes in them by option."""

    texts: dict[str, str]
    errors: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, sent: Mapping[str, str]) -> "FilledOptions":
        """The options among the fields that were sent."""
        texts = {name: sent.get(PREFIX + name, "").strip() for name in FIELDS}
        return cls({name: text for name, text in texts.items() if text})

    @classmethod
    def again(cls, task: Task, type: TaskType) -> "FilledOptions":
        """The options of a task, where they are not those of its type; but for its attempts, which retries raise."""
        names = ("priority", "max_losses", "timeout", "callback")
        pairs = {name: (getattr(task, name), getattr(type.options, name)) for name in names}
        texts = {
            name: f"{own:g}" if isinstance(own, float) else str(own)
            for name, (own, usual) in pairs.items()
            if own != usual and own is not None
        }
        return cls(texts | {LABELS: text_of(labels(task.labels).items())} if task.labels else texts)

    @property
    def query(self) -> dict[str, str]:
        """The parameters of the query, as texts."""
        texts = {name: text for name, text in self.texts.items() if name not in (KEY, LABELS)}
        texts |= {f"{LABEL_PREFIX}{name}": value for name, value in self.labels.items()}
        return texts | {"run_at": _unix_seconds(texts["run_at"])} if "run_at" in texts else texts

    @property
    def labels(self) -> dict[str, str]:
        """The labels that were typed; none where they are not names with values."""
        try:
            return dict(pairs_of(self.texts.get(LABELS, "")))
        except ValueError:
            return {}

    @property
    def key(self) -> IdempotencyKey | None:
        """The key that was typed. Raises InvalidIdempotencyKey."""
        return idempotency_key(self.texts[KEY]) if KEY in self.texts else None

    def request(self) -> dict[str, Any]:
        """Keyword arguments of TaskRequest; none where there are errors, which are noted."""
        if LABELS in self.texts and not are_pairs(self.texts[LABELS]):
            self.errors[LABELS] = [NOT_PAIRS]
        try:
            query = QUERY.load(self.query)
        except ValidationError as error:
            self.place_errors({"query": error.messages_dict})
            return {}
        return task_request_options(query) | {"labels": query.get("label", {})}

    def place_errors(self, errors: Mapping[str, Any]) -> None:
        """Note the errors of an answer of the API."""
        for parameter, sentences in errors.get("query", {}).items():
            name = LABELS if parameter.startswith(LABEL_PREFIX) else parameter
            self.errors[name] = [*self.errors.get(name, []), *sentences]
        if KEY_HEADER in errors.get("headers", {}):
            self.errors[KEY] = errors["headers"][KEY_HEADER]


def _unix_seconds(text: str) -> str:
    """The Unix seconds of a local time in UTC; any other text as it is."""
    if "-" not in text:
        return text
    try:
        moment = datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        return text
    return f"{moment.timestamp():.6f}".rstrip("0").rstrip(".")


def usual(type: TaskType) -> dict[str, str]:
    """The options of a type, for the empty fields."""
    options = {name: getattr(type.options, name) for name in Options.__dataclass_fields__}
    return {
        name: f"{each:g}" if isinstance(each, float) else str(each)
        for name, each in options.items()
        if each is not None
    }
