"""How right tap is, condition by condition, on rendered shoots of real footage with known truth.

    python -m benchmarks.accuracy [--part develop|scored] [--only NAME,NAME] [--json FILE]

What the parts are, what each condition does and what each figure means: benchmarks/README.md.
"""
