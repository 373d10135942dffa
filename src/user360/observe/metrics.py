"""What Prometheus is told: a histogram per step, the queue, commits, the projection, drops."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

FINE = (0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
SIZES = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000)

STEP_SECONDS = Histogram(
    "user360_step_seconds", "Seconds a step took over one batch", ["step"], buckets=FINE
)
COMMIT_SECONDS = Histogram(
    "user360_commit_seconds", "Seconds from begin to durable commit", buckets=FINE
)
COMMIT_CALLS = Histogram("user360_commit_calls", "Calls in one commit", buckets=SIZES)
CALLS = Counter("user360_calls_total", "Calls by what became of them", ["status"])
DROPS = Counter("user360_drops_total", "Calls refused or dropped, by reason", ["reason"])
QUEUE_CALLS = Gauge("user360_queue_calls", "Calls waiting for the committer")
QUEUE_BYTES = Gauge("user360_queue_bytes", "Bytes of request bodies being worked on")
REFUSED = Counter("user360_backpressure_total", "Requests answered 429 because the queue was full")
POSITION = Gauge("user360_ledger_position", "Position of the newest entry of the log")
PROJECTED = Gauge("user360_projected_position", "Position the warehouse has reached")
LAG_SECONDS = Histogram(
    "user360_projection_lag_seconds", "Seconds from commit to visible in lists", buckets=FINE
)
PROJECT_SECONDS = Histogram(
    "user360_projection_seconds", "Seconds of one round of the projector", buckets=FINE
)
SEGMENTS_SECONDS = Histogram(
    "user360_segments_seconds", "Seconds of one round over a workspace's segments", buckets=FINE
)
SEGMENTS_ASKED = Histogram(
    "user360_segments_asked", "Records asked about in one round, where not all were", buckets=SIZES
)
SEGMENTS_MOVED = Counter(
    "user360_segments_moved_total", "Records that entered and left segments, as told", ["how"]
)
UNORDERED = Gauge("user360_unordered_events", "Events that compaction has not put in order yet")
COMPACT_SECONDS = Histogram(
    "user360_compaction_seconds", "Seconds of one slice of compaction", buckets=FINE
)
JOBS = Counter("user360_jobs_total", "Jobs that ended, by kind and how", ["kind", "status"])
JOBS_WAITING = Gauge("user360_jobs_waiting", "Jobs that wait for their turn or are at work")
REQUEST_SECONDS = Histogram(
    "user360_request_seconds", "Seconds of a request", ["route", "status"], buckets=FINE
)
MESSAGES = Counter(
    "user360_messages_total", "Messages kept, by channel and who said them", ["channel", "sender"]
)
CONVERSATIONS = Gauge(
    "user360_conversations", "Conversations that have not ended, by state", ["state"]
)
DELIVERIES_WAITING = Gauge(
    "user360_deliveries_waiting", "Messages that still have to be brought, or failed", ["how"]
)
DELIVERIES = Counter(
    "user360_deliveries_total", "Messages brought somewhere, by way and how it went", ["way", "how"]
)
FLOW_HANDOVERS = Counter(
    "user360_flow_handovers_total", "Conversations a flow gave up on, by reason", ["reason"]
)
MAILS = Counter("user360_mails_total", "Mails that came in, by what became of them", ["became"])
