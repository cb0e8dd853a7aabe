"""Every check, in the order of the report."""

from __future__ import annotations

from typing import Final

from cluster.doctor.check_cache import examine_cache
from cluster.doctor.check_clock import examine_clock
from cluster.doctor.check_google import examine_google, examine_google_trial
from cluster.doctor.check_haproxy import examine_haproxy
from cluster.doctor.check_key_trials import examine_key_trials
from cluster.doctor.check_keys import examine_keys
from cluster.doctor.check_memory import examine_memory
from cluster.doctor.check_models import examine_models
from cluster.doctor.check_nodes import examine_nodes
from cluster.doctor.check_numbers import examine_numbers
from cluster.doctor.check_packages import examine_packages
from cluster.doctor.check_ports import examine_ports
from cluster.doctor.check_public import examine_public
from cluster.doctor.check_redis import examine_redis
from cluster.doctor.check_running import examine_running
from cluster.doctor.check_settings import examine_agents, examine_settings
from cluster.doctor.check_store import examine_database, examine_disk
from cluster.doctor.check_temporary import examine_temporary
from cluster.doctor.check_voices import examine_voices
from cluster.doctor.examination import Check

CHECKS: Final = (
    Check("Settings", examine_settings),
    Check("Agents", examine_agents),
    Check("Keys", examine_keys),
    Check("Keys, tried", examine_key_trials, needs_network=True),
    Check("Google's credentials", examine_google),
    Check("Google's credentials, tried", examine_google_trial, needs_network=True),
    Check("Voices", examine_voices, needs_network=True, timeout_s=30.0),
    Check("Packages", examine_packages),
    Check("Models", examine_models),
    Check("Response cache", examine_cache, timeout_s=30.0),
    Check("HAProxy", examine_haproxy),
    Check("Ports", examine_ports),
    Check("Memory", examine_memory),
    Check("Data directory", examine_disk),
    Check("Temporary files", examine_temporary),
    Check("Database", examine_database),
    Check("Redis", examine_redis, needs_network=True),
    Check("The running product", examine_running, timeout_s=30.0),
    Check("Nodes", examine_nodes, needs_network=True, timeout_s=60.0),
    Check("Public address", examine_public, needs_network=True, timeout_s=30.0),
    Check("Numbers", examine_numbers, needs_network=True, timeout_s=30.0),
    Check("Clock", examine_clock, needs_network=True),
)
