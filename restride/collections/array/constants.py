"""Constants by numpy's names."""

from __future__ import annotations

import math

import numpy as np

e = math.e
euler_gamma = np.euler_gamma
inf = math.inf
nan = math.nan
newaxis = None
pi = math.pi
