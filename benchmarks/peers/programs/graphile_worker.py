"""graphile-worker: one Node process for each worker, with the batches that its page on performance names."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from benchmarks.peers.programs.on_postgres import OnPostgres
from benchmarks.peers.programs.program import main

SCRIPT = Path(__file__).with_suffix(".js")


class OnGraphileWorker(OnPostgres):
    """graphile-worker. Its worker is a script for Node."""

    package = "graphile-worker"
    tables = "graphile_worker._private_jobs"
    fill = """
        SELECT count(*) FROM graphile_worker.add_jobs(ARRAY(
            SELECT json_populate_record(NULL::graphile_worker.job_spec, json_build_object('identifier', %(name)s::text))
            FROM generate_series(1, %(number)s)
        ))
    """
    some_left = "SELECT EXISTS (SELECT FROM graphile_worker._private_jobs)"

    def version(self) -> str:
        package = Path(os.environ["NODE_PATH"], self.package, "package.json")
        return str(json.loads(package.read_text())["version"])

    def migrate(self) -> None:
        subprocess.run(["node", SCRIPT, "migrate", self.address], check=True)

    def work(self, ready: Callable[[], None]) -> None:
        """Run the script, which reports itself when it is ready."""
        os.execvp("node", ["node", str(SCRIPT), self.version(), self.address])


if __name__ == "__main__":
    main(OnGraphileWorker)
