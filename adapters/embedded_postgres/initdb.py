"""Make a cluster, under a temporary name until it is complete."""

import secrets

from adapters.embedded_postgres.errors import DidNotStart
from adapters.embedded_postgres.programs import Programs

USER = "postgres"
OPTIONS = (f"--username={USER}", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C")


def make_cluster(programs: Programs, *, durable: bool) -> None:
    """Make the cluster of the programs' folder with a password of its own. Removes an unfinished one first.

    Raises DidNotStart: initdb failed.
    """
    folder = programs.folder
    folder.discard_unfinished()
    folder.write_new_password(secrets.token_urlsafe(24))
    programs.identity.own(folder.new_password)
    paths = (f"--pgdata={folder.unfinished}", f"--pwfile={folder.new_password}")
    with programs.run("initdb", *OPTIONS, *paths, *(() if durable else ("--no-sync",))) as initdb:
        if initdb.wait() != 0:
            raise DidNotStart(programs.error_message(), folder.log)
    folder.finish()
