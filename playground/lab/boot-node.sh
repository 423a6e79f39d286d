#!/bin/bash
# Boots one node and runs as that node until it is powered off: systemd as PID 1 over a copy-on-write view of this machine's files.
#   boot-node.sh NAME DIRECTORY NETWORK_NAMESPACE BINARIES IMAGES
# DIRECTORY holds `upper` (what the node changed), `work`, `root` (where both appear), `containerd` and `kubelet`.
set -eu
name=$1 directory=$2 namespace=$3 binaries=$4 images=$5

if [ "${LAB_MOUNTS-}" != own ]; then
  # Each node gets its own control group in every hierarchy: systemd-nspawn would put all nodes into one.
  for group in /sys/fs/cgroup/*/; do
    group=${group%/}
    [ -e "$group/cgroup.procs" ] || continue
    mkdir -p "$group/salvor-lab/$name"
    if [ -e "$group/cpuset.cpus" ]; then
      for part in salvor-lab "salvor-lab/$name"; do
        echo 1 >"$group/$part/cgroup.clone_children"
        for file in cpuset.cpus cpuset.mems; do cat "$group/$file" >"$group/$part/$file"; done
      done
    fi
    echo $$ >"$group/salvor-lab/$name/cgroup.procs"
  done
  LAB_MOUNTS=own exec unshare --mount --propagation private "$0" "$@"
fi

mount -t overlay "$name" -o "lowerdir=/,upperdir=$directory/upper,workdir=$directory/work" "$directory/root"
# containerd makes overlays itself and the kubelet wants a real file system: neither works on top of the node's overlay.
exec systemd-nspawn --quiet --boot --register=no --keep-unit --machine="$name" --directory="$directory/root" \
  --network-namespace-path="$namespace" \
  --capability=all --system-call-filter="@keyring bpf perf_event_open" --bind=/dev/kmsg \
  --bind="$directory/containerd:/var/lib/containerd" --bind="$directory/kubelet:/var/lib/kubelet" \
  --bind-ro="$binaries:/opt/lab/bin" --bind-ro="$images:/opt/lab/images" \
  --console=pipe --link-journal=no
