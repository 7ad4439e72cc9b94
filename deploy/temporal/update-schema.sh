#!/bin/sh
# Makes Temporal's databases, or updates their schema; connection by the SQL_* variables. Run again it
# changes nothing: each command passes over what is there.
set -eu

for pair in temporal:temporal temporal_visibility:visibility; do
  database="${pair%%:*}"
  schema="${pair##*:}"
  temporal-sql-tool --database "$database" create
  temporal-sql-tool --database "$database" setup-schema --version 0.0
  temporal-sql-tool --database "$database" update-schema --schema-name "postgresql/v12/$schema"
done
