"""Python runs this at the start of every process of a watched product."""

import os
import sys

if os.environ.get("WATCH_LOOP_INTO"):
    import importlib.util
    from pathlib import Path

    # By its path: the project may not be importable yet, and most processes never need it.
    place = Path(__file__).resolve().parent.parent / "watch.py"
    spec = importlib.util.spec_from_file_location("loop_stops_watch", place)
    if spec is None or spec.loader is None:
        raise ImportError(f"{place} is no module")
    watch = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = watch
    spec.loader.exec_module(watch)
    watch.install(os.environ["WATCH_LOOP_INTO"])
