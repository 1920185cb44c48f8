"""dependency-injector, imported without the web frameworks that it imports for wiring where they are installed.

Nothing is wired here, and the frameworks would take a quarter of a handler's memory and start time.
"""

from entrypoints.hidden_packages import hidden

FRAMEWORKS = ("fast_depends", "fastapi", "pydantic", "pydantic_settings", "starlette", "werkzeug", "yaml")

with hidden(*FRAMEWORKS):
    from dependency_injector import containers, providers

__all__ = ["containers", "providers"]
