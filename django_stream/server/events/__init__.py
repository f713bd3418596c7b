"""What happened on the server: every action records it here, in the transaction of the change."""
