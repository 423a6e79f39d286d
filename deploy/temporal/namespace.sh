#!/bin/sh
# The namespace, with a history that is kept for 90 days, and the search attributes of Salvor's operations.
set -eu
tries=0
until temporal operator cluster health; do
  tries=$((tries + 1))
  [ "$tries" -lt 60 ] || exit 1
  echo 'waiting for Temporal to serve ...'
  sleep 2
done
temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1 ||
  temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention 90d
# A new namespace takes some seconds to be known everywhere; Compose starts this job again when it was too early.
for attribute in SalvorCluster SalvorOperation; do
  temporal operator search-attribute list --namespace "$TEMPORAL_NAMESPACE" | grep -qw "$attribute" ||
    temporal operator search-attribute create --namespace "$TEMPORAL_NAMESPACE" --name "$attribute" --type Keyword
done
