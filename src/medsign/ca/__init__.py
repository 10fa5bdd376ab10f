"""Certification authorities: requests for certificates, their states, renewal, revocation."""
