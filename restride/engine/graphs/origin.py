"""Which line of the user's code made an expression: one frame walk per expression, never one per task."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_PACKAGE = str(Path(__file__).parents[2]) + os.sep


def user_line() -> str | None:
    """``file:line in function`` of the innermost caller outside of this package, None where there is none."""
    frame = sys._getframe(1)
    while frame is not None:
        code = frame.f_code
        if not code.co_filename.startswith(_PACKAGE):
            return f"{code.co_filename}:{frame.f_lineno} in {code.co_name}"
        frame = frame.f_back  # type: ignore[assignment]
    return None
