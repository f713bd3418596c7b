"""Numbers of the API (reference, section 5), stated once for client and server."""

from typing import Final

API_VERSION: Final = "v1.0"

ACTIVITIES_PER_REQUEST: Final = 100
CHANGES_PER_REQUEST: Final = 100
KEYS_PER_CHANGE: Final = 25
ACTIVITY_BYTES: Final = 10 * 1024
TEXT_BYTES: Final = 255
TARGETS_PER_ACTIVITY: Final = 100
TARGETS_STORED: Final = 1_000
TARGETS_STORED_LENGTH: Final = 32_768
"""Characters of all targets that an activity gets by being posted again: pages read a thousand of them."""
TARGETS_PER_USER_REQUEST: Final = 100
TARGETS_PER_REACTION: Final = 20
FEEDS_PER_ADD_TO_MANY: Final = 5_000
FOLLOWS_PER_REQUEST: Final = 2_500
COPY_LIMIT_DEFAULT: Final = 100
COPY_LIMIT_MAX: Final = 1_000
JSON_DEPTH: Final = 50
PAGE_DEFAULT: Final = 25
PAGE_MAX: Final = 100
OFFSET_MAX: Final = 100_000
"""So many entries of a feed can be passed over; pages by ids reach all of it."""
FOLLOW_PAGE: Final = 100
"""What every server lists at once; ours lists up to FOLLOW_PAGE_MAX."""
FOLLOW_PAGE_MAX: Final = 500
FOLLOW_FILTER_MAX: Final = 1_000
FOLLOW_OFFSET_MAX: Final = 400
FOLLOW_REACHABLE: Final = 500
FOLLOW_COUNT_CAP: Final = 10_000
WAITING_COUNT_CAP: Final = 10_000
"""So many groups of a notification feed are counted as unseen, and as unread."""
REACTION_PAGE_DEFAULT: Final = 10
REACTION_PAGE_MAX: Final = 25
LATEST_REACTIONS_DEFAULT: Final = 5
LATEST_REACTIONS_MAX: Final = 25
LATEST_CHILDREN: Final = 10
REACTION_LEVELS: Final = 3
ACTIVITIES_PER_GROUP: Final = 15
COLLECTION_SELECT: Final = 1_000
USERS_PER_REQUEST: Final = 100
EXPORT_PAGE: Final = 10_000
