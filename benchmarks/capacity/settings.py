"""Those of the simulation's site."""

from benchmarks.simulation.settings import *  # noqa: F403
