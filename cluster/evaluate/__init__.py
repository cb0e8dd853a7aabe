"""How well the product takes turns: ``callcluster evaluate turns``.

``simulation.corpus`` makes labelled turns; ``replay`` plays them through the voice machine in
virtual time, ``live`` through the whole product over sockets; ``turn_rows`` says what became of
each turn, ``figures`` adds them up, ``sweep`` turns one setting into a curve, ``compare`` holds two
runs against each other, ``report`` shows them.
"""
