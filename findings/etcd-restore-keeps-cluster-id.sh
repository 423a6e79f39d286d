#!/usr/bin/env bash
# etcd 3.6.16: "a restore makes a new cluster" holds only if the token (or a name or peer URL) is a new one.
#
# etcd's documentation says that `snapshot restore` overwrites the member IDs and the cluster ID, so that a restored
# member can't join the old cluster by accident. The IDs are hashes of the peer URLs and of --initial-cluster-token,
# and nothing else: a restore with the values of the running cluster gives the *same* cluster ID and member ID.
# Together with --bump-revision this makes a cluster that is the old one to every check of IDs, millions of revisions
# later; and a member of the old cluster that is still running finds nothing foreign in it.
#
# Seen: cluster ID and member ID before = after a restore with the same token; other IDs with another token.
# Needs Go, and loopback ports 23790 and 23800. Fails if any of this changes.
set -euo pipefail

dir=$(mktemp -d)
pid=
trap 'test -z "$pid" || kill "$pid" 2>/dev/null; rm -rf "$dir"' EXIT
cd "$dir"

version=v3.6.16
go mod init finding >/dev/null 2>&1
go get -tool "go.etcd.io/etcd/server/v3@$version" "go.etcd.io/etcd/etcdctl/v3@$version" "go.etcd.io/etcd/etcdutl/v3@$version" >/dev/null 2>&1
CGO_ENABLED=0 go build -trimpath -o bin/ go.etcd.io/etcd/server/v3 go.etcd.io/etcd/etcdctl/v3 go.etcd.io/etcd/etcdutl/v3
etcd=bin/server etcdctl=bin/etcdctl etcdutl=bin/etcdutl
"$etcdutl" version | head -n 1

client=http://127.0.0.1:23790
peer=http://127.0.0.1:23800

start() { # data directory, token
  "$etcd" --name m1 --data-dir "$1" --initial-cluster "m1=$peer" --initial-cluster-token "$2" \
    --initial-advertise-peer-urls "$peer" --listen-peer-urls "$peer" \
    --listen-client-urls "$client" --advertise-client-urls "$client" >"$1.log" 2>&1 &
  pid=$!
  for _ in $(seq 150); do
    "$etcdctl" --endpoints "$client" endpoint health >/dev/null 2>&1 && return
    sleep 0.2
  done
  tail -n 5 "$1.log" >&2
  return 1
}

stop() {
  kill "$pid"
  wait "$pid" || true
  pid=
}

status() { # cluster ID, member ID and revision, one a line
  "$etcdctl" --endpoints "$client" endpoint status --write-out json |
    grep -oE '"(cluster_id|member_id|revision)":[0-9]+' | sort
}

restore() { # data directory, token
  "$etcdutl" snapshot restore snapshot.db --data-dir "$1" --name m1 --initial-cluster "m1=$peer" \
    --initial-advertise-peer-urls "$peer" --initial-cluster-token "$2" \
    --bump-revision 2000000 --mark-compacted >/dev/null 2>&1
}

start first token-a
for key in a b c; do "$etcdctl" --endpoints "$client" put "$key" 1 >/dev/null; done
before=$(status)
"$etcdctl" --endpoints "$client" snapshot save snapshot.db >/dev/null 2>&1
stop

restore same token-a
start same token-a
same=$(status)
stop

restore other token-b
start other token-b
other=$(status)
stop

printf 'before\n%s\nrestored with the same token\n%s\nrestored with another token\n%s\n' "$before" "$same" "$other"
ids() { grep -v revision <<<"$1"; }
[ "$(ids "$before")" = "$(ids "$same")" ] || { echo 'changed: a restore with the same token has other IDs now'; exit 1; }
[ "$(ids "$before")" != "$(ids "$other")" ] || { echo 'changed: another token gives the same IDs now'; exit 1; }
grep -q '"revision":200000[0-9]' <<<"$same" || { echo 'changed: the revision was not raised'; exit 1; }
echo 'as stated: the same token gives the same cluster and member ID, 2,000,000 revisions later'
