"""Ending parts of a running cluster under calls, and measuring what callers notice.

``faults`` says what dies and what is promised then, ``stage`` runs the product and its emulated
world, ``parts`` finds the processes, ``act`` strikes them while callers talk, ``silence`` and
``figures`` say what callers noticed, ``report`` shows it, ``run`` is the order of events.
"""
