"""App Streams: long-lived connections that push what happens to the applications that asked for it."""
