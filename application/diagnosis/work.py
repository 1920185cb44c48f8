"""The check of the work: whether every waiting task has a handler, and every process lives."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from application.diagnosis.finding import Check
from application.diagnosis.wording import counted, duration
from application.outages import Finding
from application.ports.monitoring import Liveness
from application.use_cases.find_problems import Problem, Subject, find_problems
from application.use_cases.view_situation import Situation
from domain.status import Status


def check_work(situation: Situation) -> Check:
    """Check what the overview of the dashboard calls a problem. Each type or process is a finding of its own."""
    handlers, janitors = situation.processes.handlers, situation.processes.janitors
    waiting = sum(counts.get(Status.WAITING, 0) for counts in situation.counts.values())
    living = [sum(each.state is not Liveness.SILENT for each in processes) for processes in (handlers, janitors)]
    fact = f"{counted(living[0], 'handler')} and {counted(living[1], 'janitor')} live, {counted(waiting)} wait."
    return Check("work", fact, [*_findings(situation)])


def _findings(situation: Situation) -> Iterator[Finding]:
    for problem, subjects in find_problems(situation).items():
        yield from (SENTENCES[problem](subject, situation.now) for subject in subjects)


def _no_handler(subject: Subject, now: datetime) -> Finding:
    waiting = f", and {counted(subject.number)} wait" if subject.number else ""
    return Finding(f"No handler claims tasks{waiting}.", "Start one: python -m entrypoints.handler.")


def _no_handler_of_type(subject: Subject, now: datetime) -> Finding:
    return Finding(
        f"No live handler has type {subject.name}, of which {counted(subject.number)} wait.",
        f"Start a handler whose TASKS names the file of the function, or cancel them: cancel --type {subject.name}.",
    )


def _overdue(subject: Subject, now: datetime) -> Finding:
    return Finding(
        f"Tasks of type {subject.name} are due for {_since(subject, now)}, though {subject.number} children are idle.",
        "Read the log of the handlers that have the type: their claims fail, or are slow.",
    )


def _no_janitor(subject: Subject, now: datetime) -> Finding:
    return Finding(
        "No janitor lives, so schedules, callbacks and the deletion of expired tasks wait.",
        "Start one: python -m entrypoints.janitor.",
    )


def _silent_handler(subject: Subject, now: datetime) -> Finding:
    holds = f", and holds {counted(subject.number)}" if subject.number else ""
    return Finding(
        f"Handler {subject.name} is silent for {_since(subject, now)}{holds}.",
        "Look at its machine and its log: what it ran starts elsewhere once its lease has lapsed.",
    )


def _silent_janitor(subject: Subject, now: datetime) -> Finding:
    return Finding(
        f"Janitor {subject.name} is silent for {_since(subject, now)}.",
        "Look at its machine and its log: others do its work.",
    )


def _since(subject: Subject, now: datetime) -> str:
    return "an unknown time" if subject.since is None else duration((now - subject.since).total_seconds())


SENTENCES: Mapping[Problem, Callable[[Subject, datetime], Finding]] = {
    Problem.NO_HANDLER: _no_handler,
    Problem.NO_HANDLER_OF_TYPE: _no_handler_of_type,
    Problem.OVERDUE: _overdue,
    Problem.NO_JANITOR: _no_janitor,
    Problem.SILENT_HANDLER: _silent_handler,
    Problem.SILENT_JANITOR: _silent_janitor,
}
