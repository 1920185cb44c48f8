"""Functions that run as tasks. Change them, add your own, and restart the handler.

List the packages that they import in `requirements.txt` in this folder.
"""

from collections.abc import Callable
from math import hypot, isfinite, pi
from typing import Annotated, Any, TypedDict

from annotated_types import Gt, Len

from flask_tasks import task


class Arguments(TypedDict):
    """Arguments of a task of type `default`. Further arguments are allowed."""

    required_arg: Any


def ExecuteWhenRunningTask(task_id: int, args: Arguments) -> dict[str, str]:
    """Return a message with the id of the task and its argument."""
    return {"message": f"Task {task_id} ran with required_arg: {args['required_arg']}"}


@task
def add(a: int | float, b: int | float) -> int | float:
    """Add two numbers. The sum of two integers is exact, whatever their length."""
    return a + b


GRAVITY = 9.81  # m/s², along -z
AIR_DENSITY = 1.225  # kg/m³
DRAG_COEFFICIENT = 0.47  # of a sphere
MAX_STEPS = 50_000

Positive = Annotated[float, Gt(0)]
Vector = Annotated[list[float], Len(3, 3)]
Motion = list[float]  # x, y, z in m and vx, vy, vz in m/s
Rate = Callable[[Motion], list[float]]  # how fast each of these changes


class Trajectory(TypedDict):
    """Positions (m) of a sphere, and the times (s) at which it is there."""

    times: list[float]
    positions: list[Vector]


@task(timeout=60)
def mov3d(dt: Positive, r0: Vector, v0: Vector, mass: Positive, radius: Positive, drag: bool = False) -> Trajectory:
    """Compute the trajectory of a falling sphere until it reaches the ground at z = 0.

    The sphere starts at the position `r0` (m) with the velocity `v0` (m/s), and has `mass` (kg) and `radius` (m). With
    `drag` the air slows it down. The `times` of the result are `dt` (s) apart, except for the last.
    """
    if r0[2] < 0:
        raise ValueError(f"r0 is below the ground, at z = {r0[2]} m")
    rate = rate_of_fall(AIR_DENSITY * DRAG_COEFFICIENT * pi * radius**2 / (2 * mass) if drag else 0)
    motion, times, positions = [*r0, *v0], [0.0], [r0]
    while is_in_the_air(motion):
        if len(times) > MAX_STEPS:
            raise ValueError(f"the sphere is still in the air after {MAX_STEPS} steps of {dt} s: dt must be longer")
        motion, h = next_step(motion, dt, rate)
        times.append((len(times) - 1) * dt + h)
        positions.append(motion[:3])
    return {"times": times, "positions": positions}


def rate_of_fall(drag_per_mass: float) -> Rate:
    """Make the rate of change of a motion. Drag is against the motion, and grows with the square of the speed."""

    def rate(motion: Motion) -> list[float]:
        vx, vy, vz = motion[3:]
        k = drag_per_mass * hypot(vx, vy, vz)
        return [vx, vy, vz, -k * vx, -k * vy, -k * vz - GRAVITY]

    return rate


def is_in_the_air(motion: Motion) -> bool:
    """Whether the sphere is above the ground or moves upwards."""
    z, vz = motion[2], motion[5]
    return z > 0 or vz > 0


def next_step(motion: Motion, dt: float, rate: Rate) -> tuple[Motion, float]:
    """Return the motion after `dt`, or at the ground if that is sooner, and the time (s) until then."""
    later = moved(motion, dt, rate)
    if not all(map(isfinite, later)):
        raise ValueError(f"dt is too long for this motion: {dt} s")
    if later[2] >= 0:
        return later, dt
    above, below = 0.0, dt
    while above < (h := (above + below) / 2) < below:
        above, below = (h, below) if moved(motion, h, rate)[2] >= 0 else (above, h)
    x, y, _, *velocity = moved(motion, below, rate)
    return [x, y, 0.0, *velocity], below


def moved(motion: Motion, h: float, rate: Rate) -> Motion:
    """Return the motion after `h` seconds, by the classical Runge-Kutta method."""
    k1 = rate(motion)
    k2 = rate(along(motion, k1, h / 2))
    k3 = rate(along(motion, k2, h / 2))
    k4 = rate(along(motion, k3, h))
    return along(motion, [(a + 2 * b + 2 * c + d) / 6 for a, b, c, d in zip(k1, k2, k3, k4, strict=True)], h)


def along(motion: Motion, change: list[float], h: float) -> Motion:
    """Return the motion after `h` seconds of a constant change."""
    return [now + h * per_second for now, per_second in zip(motion, change, strict=True)]
