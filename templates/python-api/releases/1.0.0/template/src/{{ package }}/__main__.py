"""Start the service: `python -m` this package."""

from .app import create_app
from .health import Readiness
from .server import serve
from .settings import Settings
from .telemetry import configure_logging, configure_tracing


def main() -> None:
    """Read the settings, wire the service and serve until told to stop."""
    settings = Settings()
    configure_logging(settings)
    configure_tracing(settings)
    readiness = Readiness()
    serve(create_app(readiness=readiness), settings, readiness)


if __name__ == "__main__":
    main()
