"""What the simulated meter signs: its import register as OCMF, by a key of its own. Must not know lines or the world."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import cache

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

ALGORITHM = ec.ECDSA(hashes.SHA256())


@cache
def _key(serial: int) -> ec.EllipticCurvePrivateKey:
    """Each meter has one, the same in every run."""
    return ec.derive_private_key(serial, ec.SECP256R1())


def public_key(serial: int) -> bytes:
    """As printed on the meter: an ASN.1 structure."""
    return _key(serial).public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def container(serial: int, energy_wh: float) -> bytes:
    """An OCMF container of one reading, taken now."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S,%f")[:-3] + "+0000 U"
    reading = {"TM": now, "TX": "T", "RV": round(energy_wh / 1000, 4), "RI": "1-0:1.8.0", "RU": "kWh", "ST": "G"}
    payload = json.dumps({"FV": "1.0", "GS": str(serial), "PG": "T1", "MS": str(serial), "RD": [reading]}, separators=(",", ":"))
    signature = {"SA": "ECDSA-secp256r1-SHA256", "SD": _key(serial).sign(payload.encode(), ALGORITHM).hex()}
    return f"OCMF|{payload}|{json.dumps(signature, separators=(',', ':'))}".encode()
