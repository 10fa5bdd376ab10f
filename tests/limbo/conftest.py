"""The generator is a program of its own, run in its folder; only the tests are collected."""

collect_ignore = [
    "bench.py",
    "generate.py",
    "path_keys.py",
    "path_rules.py",
    "stamp_cases.py",
    "status_cases.py",
]
