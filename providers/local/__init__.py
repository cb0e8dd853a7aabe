"""Small models that run in this process: is this speech, and is this turn finished?"""
