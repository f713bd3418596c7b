"""What several tests send."""

APP = {"resource": "streams", "action": "*", "feed_id": "*"}
