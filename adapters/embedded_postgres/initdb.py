"""How a cluster is made: aside, and given its name once it is complete."""

import secrets

from adapters.embedded_postgres.errors import DidNotStart
from adapters.embedded_postgres.programs import Programs

USER = "postgres"
OPTIONS = (f"--username={USER}", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C")


def make_cluster(programs: Programs, *, durable: bool) -> None:
    """Make the cluster of the programs' folder, with a password of its own. What was left half-made is removed."""
    folder = programs.folder
    folder.discard_unfinished()
    folder.write_new_password(secrets.token_urlsafe(24))
    programs.identity.own(folder.new_password)
    where = (f"--pgdata={folder.unfinished}", f"--pwfile={folder.new_password}")
    with programs.run("initdb", *OPTIONS, *where, *(() if durable else ("--no-sync",))) as initdb:
        if initdb.wait() != 0:
            raise DidNotStart(programs.complaint(), folder.log)
    folder.finish()
