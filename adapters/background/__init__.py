"""Calls that are made in the background."""

from adapters.background.thread_runner import ThreadRunner

__all__ = ["ThreadRunner"]
