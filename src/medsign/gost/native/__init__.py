"""Providers that call libraries of the operating system; each is loaded when it is first asked."""
