"""The fields of a form: what each is called, what it takes, and in which object it is."""

from dataclasses import dataclass

from entrypoints.http.pages.forms.kinds import Kind

FURTHER = "**"
"""The last step of the path of the field for members that have no field."""
Path = tuple[str, ...]
_EMPTY = "~3"
_ESCAPES = {"~": "~0", ".": "~1", "*": "~2"}


@dataclass(frozen=True)
class Field:
    """A field for one value.

    - `path`: the names of the members on the way to the value.
    - `kinds`: the kinds of values, one of which can be chosen. Without any it is a JSON field.
    - `takes_null`: whether it can say null.
    - `is_further`: whether it is the one for the members that have no field.
    """

    path: Path
    label: str
    kinds: tuple[Kind, ...] = ()
    is_required: bool = False
    takes_null: bool = False
    help: str = ""
    default: str | None = None
    is_further: bool = False

    @property
    def key(self) -> str:
        """The name of the member."""
        return self.path[-1] if self.path else ""

    @property
    def title(self) -> str:
        """The name for people, with those of the objects that it is in."""
        return self.label if self.is_further else ".".join(self.path)

    @property
    def name(self) -> str:
        """The name in addresses and forms, different for each path."""
        steps = ["".join(_ESCAPES.get(sign, sign) for sign in step) or _EMPTY for step in self.path]
        return ".".join([*steps[:-1], FURTHER] if self.is_further else steps)


@dataclass(frozen=True)
class Group(Field):
    """A fieldset for the members of an object. `is_open`: whether it takes members that have no field."""

    parts: tuple[Field, ...] = ()
    is_open: bool = False

    @property
    def further(self) -> Field:
        """The JSON field for members that have no field."""
        label = "Further arguments" if not self.path else f"Further members of {self.label}"
        help = "A JSON object of members that have no field here."
        return Field((*self.path, FURTHER), label, help=help, is_further=True)
