"""`python -m entrypoints.http`: serve the API until SIGTERM or SIGINT."""

from entrypoints.stop_signals import StopSignals


def main() -> None:
    """Serve the API until told to stop, which ends this process at once while it starts."""
    signals = StopSignals()
    # Imported here, since it takes most of the start.
    from entrypoints import startup
    from entrypoints.http.wsgi.server import CannotServe, serve

    settings = startup.start("http")
    try:
        serve(settings, signals)
    except CannotServe as error:
        raise startup.configuration_exit(error) from None


if __name__ == "__main__":
    main()
