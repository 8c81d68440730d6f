"""Fan-out: Pusher-protocol websockets."""
