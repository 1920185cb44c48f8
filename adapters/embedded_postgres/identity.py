"""Who the server runs as: PostgreSQL refuses root, and initdb wants a user whom the system knows by name."""

import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from adapters.embedded_postgres.errors import NobodyToRunAs

DROP = """
import os, sys
uid, gid, *command = sys.argv[1:]
os.setgroups([])
os.setgid(int(gid))
os.setuid(int(uid))
os.execv(command[0], command)
"""


@dataclass(frozen=True, slots=True)
class Identity:
    """The words to put before a command, and the owner that the server's files must have."""

    prefix: tuple[str, ...]
    uid: int
    gid: int

    def own(self, path: Path) -> None:
        """Give a file, or a folder and all that is in it, to this identity. Only root has to."""
        if os.lstat(path).st_uid == self.uid:
            return
        for folder, folders, files in os.walk(path, topdown=False):
            for name in (*files, *folders):
                os.lchown(os.path.join(folder, name), self.uid, self.gid)
        # The top goes last: as long as it has the old owner, all of it is done again.
        os.lchown(path, self.uid, self.gid)

    def can_run(self, postgres: Path, data: Path) -> bool:
        """Whether this machine lets us be this identity, and the identity reach the server and its data."""
        test = ("/bin/sh", "-c", 'test -w "$1" && exec "$0" --version', str(postgres), str(data))
        try:
            return subprocess.run((*self.prefix, *test), cwd="/", capture_output=True).returncode == 0
        except OSError:
            return False


def choose(postgres: Path, data: Path, cluster: Path) -> Identity:
    """The first identity that works for a folder that we own, with the cluster in it or yet to be made."""
    for identity in _candidates(data, cluster):
        if not identity.prefix:
            return identity
        os.lchown(data, identity.uid, identity.gid)
        if identity.can_run(postgres, data):
            return identity
    raise NobodyToRunAs


def _candidates(data: Path, cluster: Path) -> Iterator[Identity]:
    uid, gid = os.geteuid(), os.getegid()
    if uid != 0:
        if not (cluster.exists() or _has_name(uid)):
            yield from _in_a_user_namespace(uid, gid)
        yield Identity((), uid, gid)
        return
    # Data of an ordinary user, or a new folder in a checkout of theirs: root (sudo) leaves them to that user.
    place = os.stat(cluster if cluster.exists() else data.parent)
    if place.st_uid != 0 and (cluster.exists() or _has_name(place.st_uid)):
        yield from _as_user(place.st_uid, place.st_gid)
    yield from _in_a_user_namespace(uid, gid)
    nobody = _nobody()
    yield from _as_user(nobody.pw_uid, nobody.pw_gid)


def _in_a_user_namespace(uid: int, gid: int) -> Iterator[Identity]:
    """We keep what we own, and have another number within. Containers often forbid it."""
    nobody = _nobody()
    if unshare := shutil.which("unshare"):
        maps = (f"--map-user={nobody.pw_uid}", f"--map-group={nobody.pw_gid}")
        yield Identity((unshare, "--user", *maps), uid, gid)


def _as_user(uid: int, gid: int) -> Iterator[Identity]:
    """Drop to a user: with the one right that lets them reach an environment in a folder of root's, then without."""
    if setpriv := shutil.which("setpriv"):
        who = (f"--reuid={uid}", f"--regid={gid}", "--clear-groups")
        rights = ("--inh-caps=+dac_override", "--ambient-caps=+dac_override")
        yield Identity((setpriv, *who, *rights), uid, gid)
    yield Identity((sys.executable, "-I", "-S", "-c", DROP, str(uid), str(gid)), uid, gid)


def _nobody() -> pwd.struct_passwd:
    """A user with a name and no rights."""
    return min((user for user in pwd.getpwall() if user.pw_uid != 0), key=lambda user: user.pw_name != "nobody")


def _has_name(uid: int) -> bool:
    try:
        return bool(pwd.getpwuid(uid))
    except KeyError:
        return False
