"""medsign: one window over certificates, powers of attorney and signatures of a clinic."""
