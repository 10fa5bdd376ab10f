"""Certificates: keys, profile, chains, revocation, time stamps and issuing."""
