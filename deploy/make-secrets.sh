#!/bin/sh
# Writes secrets/ for `docker compose up`: random where we choose them, empty where somebody else gives them.
# Never overwrites: a lost FIELD_ENCRYPTION_KEYS or LOOKUP_PEPPER makes driver numbers and PINs unreadable.
set -eu
cd "$(dirname "$0")/.."
umask 077
mkdir -p secrets
# 32 random bytes in the alphabet that Fernet keys and URLs share.
random() { head -c 32 /dev/urandom | base64 | tr '+/' '-_' | tr -d '\n'; }
put() { [ -e "secrets/$1" ] || printf '%s' "$2" >"secrets/$1"; }
put postgres_password "$(random | tr -d '=')"
put secret_key "$(random)$(random)"
put field_encryption_keys "$(random)"
put lookup_pepper "$(random)"
put stripe_secret_key ""
put stripe_webhook_secrets ""
put email_url ""
password=$(cat secrets/postgres_password)
put database_url "postgres://ndors:$password@pgbouncer:6432/ndors"
put migrate_database_url "postgres://ndors:$password@db:5432/ndors"
# Containers read them under their own uid; the folder itself stays closed to everybody else on this host.
chmod 644 secrets/*
for name in stripe_secret_key stripe_webhook_secrets email_url; do
    [ -s "secrets/$name" ] || echo "fill in secrets/$name"
done
