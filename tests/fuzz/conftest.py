"""The harness is a program of its own, run in its folder; only the tests are collected."""

collect_ignore = ["atheris_harness.py"]
