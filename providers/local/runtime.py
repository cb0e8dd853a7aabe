"""onnxruntime, as every model here uses it: one thread, nothing on the console, loaded late."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from providers.local.errors import LocalModelUnavailable

WEIGHTS: Final = Path(__file__).parent / "weights"

_ONLY_FATAL = 4


def open_session(file: str, *, keeps_memory: bool = True) -> Any:
    """An ``onnxruntime.InferenceSession`` of one of the files in ``weights``.

    It computes on the thread that calls it, and lets go of the interpreter while it does.

    Args:
        file: Its name.
        keeps_memory: For the next run of the same size; without, each run asks the system anew.

    Raises:
        LocalModelUnavailable: onnxruntime is not installed, or does not run the file.
    """
    try:
        import onnxruntime
    except (ImportError, OSError) as error:
        raise LocalModelUnavailable(
            f"onnxruntime cannot be imported ({type(error).__name__}); pip install onnxruntime",
            provider=file,
        ) from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = _ONLY_FATAL
    options.enable_cpu_mem_arena = options.enable_mem_pattern = keeps_memory
    try:
        return onnxruntime.InferenceSession(
            str(WEIGHTS / file), sess_options=options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # noqa: BLE001 - it has a plain Exception for each of its codes
        raise LocalModelUnavailable(
            f"onnxruntime {onnxruntime.__version__} cannot load it ({type(error).__name__})",
            provider=file,
        ) from None
