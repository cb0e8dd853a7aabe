"""When to leave a failing provider, whom to ask instead, and when to come back.

Machines and rules only: nothing here opens a socket, reads a clock or draws a random number.
``now`` is always seconds of one clock that all processes
share (UTC), because what one process saw is judged in another; tens of milliseconds between two
machines do no harm.

    unit      what is healthy or not: provider, operation, region, model or voice, credential
    signals   what an attempt tells about its unit, and what tells nothing
    evidence  what was seen lately: one-second windows and runs, of one reporter or of all
    latency   quantiles that fade, each unit's own
    breaker   closed, suspect, open, half-open, for one unit
    board     the cluster's verdicts: versioned plain data, small deltas
    reports   what reporters tell the keeper, in any order and any number of times
    keeper    folds reports, publishes the board, says who probes
    local     one worker's own verdict and its copy of the board
    view      what calls ask and tell: the local view with a clock
    deadline  how long to wait, and when to ask a second one
    budget    how many extra calls are allowed
    attempts  one request over several candidates
    route     candidates in order; a call keeps its voice
    quota     concurrency and rate of one credential, in leases
    quotas    all limits as one process uses them
    resume    where a reply goes on in another voice
"""
