"""Bytes to frozen objects and back: the only importer of asn1crypto, lxml and cattrs."""
