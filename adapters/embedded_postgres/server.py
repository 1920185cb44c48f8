"""The embedded server: make its cluster, start it, await its end, stop it."""

from collections.abc import Mapping
from pathlib import Path
from threading import Lock as Mutex

from adapters.embedded_postgres import postmaster
from adapters.embedded_postgres.binaries import major_version
from adapters.embedded_postgres.data_folder import DataFolder
from adapters.embedded_postgres.errors import WrongVersion
from adapters.embedded_postgres.guarded_process import GuardedProcess
from adapters.embedded_postgres.initdb import USER, make_cluster
from adapters.embedded_postgres.launch import launch
from adapters.embedded_postgres.lock import Lock
from adapters.embedded_postgres.programs import Programs


class EmbeddedPostgres:
    """A PostgreSQL server for this machine alone, which ends together with this process, however that ends.

    - `data`: the folder that holds its data, of which one process at a time is the owner.
    - `durable`: False for tests: a crash of the machine may lose or damage the data.
    - `settings`: PostgreSQL's own.

    As a context manager it is started, and gives its URL.
    """

    def __init__(self, data: Path, *, durable: bool = True, settings: Mapping[str, object] = {}) -> None:
        self._folder = DataFolder(data)
        self._durable, self._settings = durable, settings
        self._lock = Lock(self._folder.lock)
        self._server: GuardedProcess | None = None
        self._port: int | None = None
        self._mutex = Mutex()

    def owner(self) -> int | None:
        """The pid of the living process that owns the data; None where there is none."""
        return self._lock.owner()

    @property
    def pid(self) -> int | None:
        """The pid of the server; None while it does not run."""
        return self._server.pid if self._server and self._server.alive() else None

    def start(self) -> str:
        """Start the server unless it runs. Its URL, which is the same at every start.

        Raises EmbeddedPostgresError: it cannot start; the message says why.
        """
        with self._mutex:
            if self.pid is None:
                self._start()
            return _url(self._folder, self._port)

    def running_url(self) -> str | None:
        """The URL of the server, whichever process has started it; None where none runs and accepts connections.

        Raises Unusable: this user may not read the password.
        """
        port = postmaster.ready_port(self._folder.cluster) if self.owner() else None
        return _url(self._folder, port) if port else None

    def wait(self) -> None:
        """Block until the server has ended, by itself or by `stop`."""
        if server := self._server:
            server.wait()

    def stop(self) -> None:
        """End the server and wait until it has ended. It can be started again."""
        with self._mutex:
            self._end()

    def __enter__(self) -> str:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _start(self) -> None:
        self._end()
        self._folder.prepare()
        self._lock.acquire()
        try:
            with Programs(self._folder, self._lock.descriptor) as programs:
                self._server, self._port = self._launch(programs)
        except BaseException:
            self._end()
            raise

    def _launch(self, programs: Programs) -> tuple[GuardedProcess, int]:
        cluster = self._folder.cluster
        if not cluster.exists():
            make_cluster(programs, durable=self._durable)
        programs.identity.own(cluster)
        made, found = self._folder.made_by(), major_version(programs.postgres)
        if made != found:
            raise WrongVersion(self._folder.path, made, programs.postgres, found)
        postmaster.end_leftover_server(cluster)
        return launch(programs, self._port, durable=self._durable, settings=self._settings)

    def _end(self) -> None:
        if self._server:
            self._server.end()
            self._server = None
        self._lock.release()


def _url(folder: DataFolder, port: int | None) -> str:
    return f"postgresql://{USER}:{folder.password()}@127.0.0.1:{port}/postgres"
