"""Makes and judges the weights of ``voice.completeness``; see README.md in this folder."""
