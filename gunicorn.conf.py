"""Gunicorn's settings, for production and demo alike; the environment sizes it."""

import os
from pathlib import Path

wsgi_app = "ndors_portal.wsgi"
bind = os.environ.get("BIND", "0.0.0.0:8000")
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = int(os.environ.get("WEB_THREADS", "4"))
worker_class = "gthread"
# A worker writes its sign of life to a file; in a container with a read-only disk that is memory.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108
timeout = 60
graceful_timeout = 25
keepalive = 5
# Workers are renewed now and then, not all at once.
max_requests = 5000
max_requests_jitter = 500
limit_request_line = 8190
# The proxy in front ends TLS; Django alone decides whom to believe about addresses and schemes.
forwarded_allow_ips = "127.0.0.1"
accesslog = "-"
# Paths only: no query string, no referrer, no client address belongs in a log file.
access_log_format = "%(m)s %(U)s %(s)s %(b)sB %(M)sms"
errorlog = "-"
control_socket_disable = True
