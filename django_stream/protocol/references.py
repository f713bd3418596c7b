"""References inside activities: `SU:` users, `SO:` collection entries, `SA:` activities, `SR:` reactions."""

from __future__ import annotations


def user_reference(user_id: object) -> str:
    return f"SU:{user_id}"


def object_reference(collection: str, entry_id: object) -> str:
    return f"SO:{collection}:{entry_id}"


def activity_reference(activity_id: object) -> str:
    return f"SA:{activity_id}"


def reaction_reference(reaction_id: object) -> str:
    return f"SR:{reaction_id}"
