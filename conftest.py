"""How hypothesis runs in every test of the project."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# The same examples in every run, so that a failure is one for everybody. A busy machine is no finding: no deadline, and
# no complaint about the seconds that hypothesis takes once to build its table of characters.
settings.register_profile(
    "same-everywhere", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("same-everywhere")
