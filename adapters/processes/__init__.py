"""The processes of this machine, as Linux shows them in /proc."""

from adapters.processes.proc import ProcProcesses

__all__ = ["ProcProcesses"]
