"""`python -m entrypoints.http`: serve the API until SIGTERM or SIGINT."""

from entrypoints import process
from entrypoints.http.wsgi.server import CannotListen, serve


def main() -> None:
    """Serve the API until SIGTERM or SIGINT."""
    settings = process.start("http")
    try:
        serve(settings)
    except CannotListen as error:
        raise process.configuration_exit(error) from None


if __name__ == "__main__":
    main()
