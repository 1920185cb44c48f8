"""`python -m entrypoints.http`: serve the API until SIGTERM or SIGINT."""

from entrypoints import startup
from entrypoints.http.wsgi.server import CannotListen, serve


def main() -> None:
    """Serve the API until SIGTERM or SIGINT."""
    settings = startup.start("http")
    try:
        serve(settings)
    except CannotListen as error:
        raise startup.configuration_exit(error) from None


if __name__ == "__main__":
    main()
