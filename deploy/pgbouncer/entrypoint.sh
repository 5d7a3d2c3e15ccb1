#!/bin/sh
# Writes PgBouncer's configuration from the environment and the password file, then becomes PgBouncer.
# /tmp is a tmpfs: the password is never on a disk of this container.
set -eu
umask 077
password=$(cat "$POSTGRES_PASSWORD_FILE")
printf '"%s" "%s"\n' "$POSTGRES_USER" "$password" >/tmp/userlist.txt
cat >/tmp/pgbouncer.ini <<INI
[databases]
* = host=$POSTGRES_HOST port=5432
[pgbouncer]
listen_addr = 0.0.0.0
listen_port = 6432
auth_type = scram-sha-256
auth_file = /tmp/userlist.txt
pool_mode = transaction
max_client_conn = ${MAX_CLIENTS:-500}
default_pool_size = ${POOL_SIZE:-20}
ignore_startup_parameters = extra_float_digits,options
unix_socket_dir =
INI
exec pgbouncer /tmp/pgbouncer.ini
