"""Activity ids: version 1 UUIDs whose time is the activity's, so that ids sort as activities do.

The algorithm and its vectors are facts of the wire (reference, section 6.2).
"""

from __future__ import annotations

import random
import uuid
from datetime import UTC, datetime, timedelta

# 100 ns ticks between the UUID epoch (1582-10-15) and the Unix epoch.
_UUID_EPOCH = 0x01B21DD213814000
_MAX_TICKS = 1 << 60
_UNIX_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DETERMINISTIC_CLOCK = 0x8080
_MASK32 = 0xFFFFFFFF


def activity_id(time: datetime, foreign_id: str) -> uuid.UUID:
    """The id that (foreign_id, time) determine, for every client and server alike."""
    return _compose(ticks_of(time), _DETERMINISTIC_CLOCK, _node_of(foreign_id))


def sort_key_of(time: datetime, foreign_id: str) -> uuid.UUID:
    """The sort key of that id."""
    return uuid.UUID(int=ticks_of(time) << 68 | 0x1 << 64 | _DETERMINISTIC_CLOCK << 48 | _node_of(foreign_id))


def _node_of(foreign_id: str) -> int:
    digest = murmur3_32(foreign_id.encode())
    signed = digest - (1 << 32) if digest & 0x80000000 else digest
    spread = signed | 0x100000000 if signed > 0 else -signed
    return 0x800000000000 | spread


def random_activity_id(time: datetime) -> uuid.UUID:
    """A fresh id at a time: for activities whose time the server chose."""
    clock = 0x8000 | random.getrandbits(14)
    # The multicast bit marks a node that is no network card (RFC 9562, section 6.10).
    return _compose(ticks_of(time), clock, random.getrandbits(48) | 1 << 40)


def time_of(activity: uuid.UUID) -> datetime:
    """The activity's time, exact to the microsecond."""
    return _UNIX_EPOCH + (activity.time - _UUID_EPOCH) // 10 * _MICROSECOND


def sort_key(activity: uuid.UUID) -> uuid.UUID:
    """The same 128 bits with the time first: byte order, text order and feed order agree."""
    bits = activity.int
    ticks = activity.time
    return uuid.UUID(int=ticks << 68 | 0x1 << 64 | bits & 0xFFFFFFFFFFFFFFFF)


def from_sort_key(key: uuid.UUID) -> uuid.UUID:
    """The inverse of `sort_key`."""
    bits = key.int
    return _compose(bits >> 68, bits >> 48 & 0xFFFF, bits & 0xFFFFFFFFFFFF)


def ticks_of(time: datetime) -> int:
    """A moment in 100 ns since 1582; ValueError for one that no activity id can carry."""
    ticks = (time - _UNIX_EPOCH) // _MICROSECOND * 10 + _UUID_EPOCH
    if not 0 <= ticks < _MAX_TICKS:
        raise ValueError(f"time {time.isoformat()} is outside 1582 to 5236, the range of activity ids")
    return ticks


def _compose(ticks: int, clock: int, node: int) -> uuid.UUID:
    time_low, time_mid, time_high = ticks & _MASK32, ticks >> 32 & 0xFFFF, ticks >> 48 | 0x1000
    return uuid.UUID(int=time_low << 96 | time_mid << 80 | time_high << 64 | clock << 48 | node)


def murmur3_32(data: bytes) -> int:
    """MurmurHash3 x86 32-bit with seed 0 (Appleby, public domain algorithm)."""
    digest = 0
    whole = len(data) & ~3
    for start in range(0, whole, 4):
        digest ^= _scramble(int.from_bytes(data[start : start + 4], "little"))
        digest = (_rotate(digest, 13) * 5 + 0xE6546B64) & _MASK32
    if len(data) > whole:
        digest ^= _scramble(int.from_bytes(data[whole:], "little"))
    digest ^= len(data)
    digest = (digest ^ digest >> 16) * 0x85EBCA6B & _MASK32
    digest = (digest ^ digest >> 13) * 0xC2B2AE35 & _MASK32
    return digest ^ digest >> 16


def _scramble(block: int) -> int:
    return _rotate(block * 0xCC9E2D51 & _MASK32, 15) * 0x1B873593 & _MASK32


def _rotate(value: int, by: int) -> int:
    return (value << by | value >> 32 - by) & _MASK32
