"""GOST TLS by gost-engine, in the OpenSSL of Python or in the system's."""

from medsign.transport.tls.checks import Peer, PeerCheck, status_check
from medsign.transport.tls.gateway import GostGateway
from medsign.transport.tls.probe import WayReport, way_reports
from medsign.transport.tls.settings import GostTls, Way
from medsign.transport.tls.suites import Suite

__all__ = [
    "GostGateway",
    "GostTls",
    "Peer",
    "PeerCheck",
    "Suite",
    "Way",
    "WayReport",
    "status_check",
    "way_reports",
]
