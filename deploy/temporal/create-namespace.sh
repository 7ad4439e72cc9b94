#!/bin/sh
# Registers the namespace TEMPORAL_NAMESPACE once; closed workflows are kept for 30 days.
set -eu

for attempt in 1 2 3 4 5 6 7 8 9 10; do
  if temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE"; then exit 0; fi
  if temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention 30d; then
    exit 0
  fi
  echo "the frontend is not ready (attempt $attempt)"
  sleep 3
done
exit 1
