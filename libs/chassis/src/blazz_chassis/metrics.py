"""Counters every service exposes at `/metrics`, besides the process and platform ones of prometheus_client.

Labels are of low cardinality: event types, queues, route templates; never ids.
"""

from prometheus_client import Counter, Gauge, Histogram

sql_statements = Counter("blazz_sql_statements", "Statements sent to PostgreSQL, BEGIN and COMMIT included")

published = Counter("blazz_broker_published", "Messages the broker confirmed", ["type"])
publish_failed = Counter("blazz_broker_publish_failed", "Publishes that were not confirmed, by reason", ["reason"])
publish_seconds = Histogram(
    "blazz_broker_publish_seconds", "From publish to confirm", buckets=(0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10)
)

consumed = Counter("blazz_broker_consumed", "Messages handled and acked", ["queue"])
handling_seconds = Histogram(
    "blazz_broker_handling_seconds",
    "From delivery to ack",
    ["queue"],
    buckets=(0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30),
)
retried = Counter("blazz_broker_retried", "Messages sent to a retry queue", ["queue"])
dead = Counter("blazz_broker_dead", "Messages sent to a dead queue", ["queue", "reason"])
paused = Gauge("blazz_broker_paused", "1 while consumption of a queue waits for a dependency", ["queue"])

batch_items = Histogram(
    "blazz_batch_items", "Items of a micro-batch", ["batcher"], buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500)
)
batch_seconds = Histogram(
    "blazz_batch_seconds", "Duration of a flush", ["batcher"], buckets=(0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10)
)

outbox_oldest_seconds = Gauge("blazz_outbox_oldest_seconds", "Age of the oldest row the outbox has not sent")
outbox_relayed = Counter("blazz_outbox_relayed", "Rows the relay sent because their writer had not")

http_requests = Counter("blazz_http_requests", "HTTP requests answered", ["method", "route", "status"])
http_seconds = Histogram(
    "blazz_http_request_seconds",
    "Duration of HTTP requests",
    ["route"],
    buckets=(0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10),
)
