"""``/dashboard``: one page that shows the running cluster to people, out of ``/metrics`` alone."""
