"""The main job on real climate data: ``python -m demo``, or ``make demo``, which installs what it needs first."""
