"""What the notifier counts, at `/metrics`. No label holds an id."""

from prometheus_client import Counter, Gauge, Histogram

connections = Gauge("blazz_notifier_connections", "Open sockets")
connections_opened = Counter("blazz_notifier_connections_opened", "Sockets accepted")
connections_closed = Counter("blazz_notifier_connections_closed", "Sockets that ended, by close code", ["code"])
subscriptions = Gauge("blazz_notifier_subscriptions", "Subscriptions of open sockets", ["kind"])
subscriptions_refused = Counter("blazz_notifier_subscriptions_refused", "Subscriptions refused", ["status"])
frames_sent = Counter("blazz_notifier_frames_sent", "Frames written to sockets")
bytes_sent = Counter("blazz_notifier_bytes_sent", "Bytes of frames written to sockets")
slow_readers_cut = Counter("blazz_notifier_slow_readers_cut", "Sockets cut because they did not read")
client_events = Counter("blazz_notifier_client_events", "Client events, by what became of them", ["outcome"])
bind_wait_seconds = Histogram(
    "blazz_notifier_bind_wait_seconds",
    "What a subscription waited for its workspace to be bound, when it was not yet",
    buckets=(0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10),
)
workspaces_bound = Gauge("blazz_notifier_workspaces_bound", "Workspaces this instance listens to")
delivery_lag_seconds = Histogram(
    "blazz_notifier_delivery_lag_seconds",
    "From an event's timestamp (whole seconds, the publisher's clock) to its frames being written",
    buckets=(1, 2, 3, 5, 10, 30, 60),
)
presence_rows = Counter("blazz_notifier_presence_changes", "Presence rows written or removed", ["action"])
