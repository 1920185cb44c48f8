"""Choose the user that the server runs as: PostgreSQL refuses root, and initdb needs a user with a name."""

import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from adapters.embedded_postgres.errors import NoUserToRunAs

DROP_PRIVILEGES = """
import os, sys
uid, gid, *command = sys.argv[1:]
os.setgroups([])
os.setgid(int(gid))
os.setuid(int(uid))
os.execv(command[0], command)
"""


@dataclass(frozen=True, slots=True)
class Identity:
    """A user that the server can run as.

    - `prefix`: the words before a command that run it as this user.
    - `uid`, `gid`: the owner that the server's files must have.
    """

    prefix: tuple[str, ...]
    uid: int
    gid: int

    def own(self, path: Path) -> None:
        """Change the owner of a file, or of a folder and everything in it, to this identity. Only root needs it."""
        if os.lstat(path).st_uid == self.uid:
            return
        for folder, folders, files in os.walk(path, topdown=False):
            for name in (*files, *folders):
                os.lchown(os.path.join(folder, name), self.uid, self.gid)
        # The top folder comes last: until it has the new owner, an interrupted change starts over.
        os.lchown(path, self.uid, self.gid)

    def can_run(self, postgres: Path, data: Path) -> bool:
        """Whether this machine allows the identity, and the identity can reach the server and its data."""
        check = ("/bin/sh", "-c", 'test -w "$1" && exec "$0" --version', str(postgres), str(data))
        try:
            return subprocess.run((*self.prefix, *check), cwd="/", capture_output=True).returncode == 0
        except OSError:
            return False


def choose(postgres: Path, data: Path, cluster: Path) -> Identity:
    """The first identity that works for the data folder, whose cluster may not exist yet.

    Raises NoUserToRunAs: none works.
    """
    for identity in _candidates(data, cluster):
        if not identity.prefix:
            return identity
        os.lchown(data, identity.uid, identity.gid)
        if identity.can_run(postgres, data):
            return identity
    raise NoUserToRunAs


def _candidates(data: Path, cluster: Path) -> Iterator[Identity]:
    uid, gid = os.geteuid(), os.getegid()
    if uid != 0:
        if not (cluster.exists() or _has_name(uid)):
            yield from _in_a_user_namespace(uid, gid)
        yield Identity((), uid, gid)
        return
    # Root (sudo) leaves the data of an ordinary user, or a new folder in that user's checkout, to that user.
    owner = os.stat(cluster if cluster.exists() else data.parent)
    if owner.st_uid != 0 and (cluster.exists() or _has_name(owner.st_uid)):
        yield from _as_user(owner.st_uid, owner.st_gid)
    yield from _in_a_user_namespace(uid, gid)
    nobody = _unprivileged_user()
    yield from _as_user(nobody.pw_uid, nobody.pw_gid)


def _in_a_user_namespace(uid: int, gid: int) -> Iterator[Identity]:
    """This process's own user under another number, by a user namespace. Containers often forbid it."""
    nobody = _unprivileged_user()
    if unshare := shutil.which("unshare"):
        maps = (f"--map-user={nobody.pw_uid}", f"--map-group={nobody.pw_gid}")
        yield Identity((unshare, "--user", *maps), uid, gid)


def _as_user(uid: int, gid: int) -> Iterator[Identity]:
    """Drop to a user: with the one capability that lets it reach an environment in root's folder, then without."""
    if setpriv := shutil.which("setpriv"):
        ids = (f"--reuid={uid}", f"--regid={gid}", "--clear-groups")
        capabilities = ("--inh-caps=+dac_override", "--ambient-caps=+dac_override")
        yield Identity((setpriv, *ids, *capabilities), uid, gid)
    yield Identity((sys.executable, "-I", "-S", "-c", DROP_PRIVILEGES, str(uid), str(gid)), uid, gid)


def _unprivileged_user() -> pwd.struct_passwd:
    """The user `nobody`, or any other than root where there is none."""
    return min((user for user in pwd.getpwall() if user.pw_uid != 0), key=lambda user: user.pw_name != "nobody")


def _has_name(uid: int) -> bool:
    try:
        return bool(pwd.getpwuid(uid))
    except KeyError:
        return False
