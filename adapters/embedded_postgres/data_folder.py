"""The folder of the embedded server: the cluster with its password, the log, the lock."""

import os
import pwd
import shutil
from pathlib import Path

from adapters.embedded_postgres.errors import Unusable, WrongOwner


class DataFolder:
    """The paths in the folder. The cluster appears in one step with its password in it, or not at all."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.cluster = self.path / "cluster"
        self.log = self.path / "postgres.log"
        self.lock = self.path / "lock"
        self.unfinished = self.path / "cluster.new"
        self.new_password = self.path / "password.new"

    def prepare(self) -> None:
        """Make the folder.

        Raises WrongOwner: it belongs to another user.
        Raises Unusable: it cannot be made.
        """
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._check_owner(self.path)
            if self.cluster.exists():
                self._check_owner(self.cluster)
        except OSError as error:
            raise Unusable(self.path, error.strerror or str(error)) from error

    def discard_unfinished(self) -> None:
        """Remove the files of an interrupted initdb."""
        self.new_password.unlink(missing_ok=True)
        shutil.rmtree(self.unfinished, ignore_errors=True)

    def write_new_password(self, password: str) -> None:
        """Write the password for initdb to a file that only its owner can read."""
        with open(os.open(self.new_password, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(password)
            os.fsync(file.fileno())

    def finish(self) -> None:
        """Give the complete cluster its name."""
        os.replace(self.new_password, self.unfinished / "password")
        os.replace(self.unfinished, self.cluster)

    def password(self) -> str:
        """The password of the cluster.

        Raises Unusable: its file is missing.
        """
        try:
            return (self.cluster / "password").read_text()
        except OSError as error:
            raise Unusable(self.path, f"the file cluster/password is missing ({error.strerror})") from error

    def made_by(self) -> str:
        """The major version of the server that made the cluster.

        Raises Unusable: the folder holds no cluster.
        """
        try:
            return (self.cluster / "PG_VERSION").read_text().strip()
        except OSError as error:
            raise Unusable(self.path, f"its folder cluster holds no PostgreSQL data ({error.strerror})") from error

    def _check_owner(self, path: Path) -> None:
        owner, user = path.stat().st_uid, os.geteuid()
        if user not in (0, owner):
            raise WrongOwner(self.path, _name(owner), _name(user))


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
