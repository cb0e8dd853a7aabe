"""Breaking things on purpose under running calls, and measuring what callers notice.

``faults`` says what is broken, ``stage`` runs the product and its emulated providers, ``lines``
places calls, ``phase`` breaks something in the middle of them, ``turns`` and ``figures`` say what
callers heard, ``verdicts`` holds that against what was promised, ``report`` shows it, ``run`` is
the order of events.
"""
