"""Silero VAD: how likely 32 ms of sound hold speech. The network itself, many calls at once.

The network reads windows of 256 samples at 8 kHz, each with the 32 samples before it, and carries
a state from one window to the next (https://github.com/snakers4/silero-vad). Which windows of which
call it is given is decided in ``speech_windows``.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from providers.local.runtime import open_session

WINDOW_SAMPLES: Final = 256
CONTEXT_SAMPLES: Final = 32
STATE_LAYERS: Final = 2
STATE_SIZE: Final = 128
WEIGHTS_FILE: Final = "silero-vad-6.2.3.onnx"

Floats = npt.NDArray[np.float32]

_RATE = np.array(8_000, dtype=np.int64)


class SileroVad:
    """The network.

    Raises:
        LocalModelUnavailable: It cannot be loaded.
    """

    def __init__(self) -> None:
        # What it keeps is for the most calls that it ever heard at once: 8 kB of each, and a run
        # is no quicker for it.
        self._session = open_session(WEIGHTS_FILE, keeps_memory=False)

    def probabilities(self, windows: Floats, states: Floats) -> tuple[Floats, Floats]:
        """One step of ``n`` calls.

        Args:
            windows: Shape ``(n, 288)``: 32 samples of context, then the window, full scale +-1.
            states: Shape ``(2, n, 128)``; zeros where a call begins.

        Returns:
            The probability of speech, shape ``(n,)``, and the states for the next step.
        """
        found, after = self._session.run(None, {"input": windows, "state": states, "sr": _RATE})
        return found[:, 0], after
