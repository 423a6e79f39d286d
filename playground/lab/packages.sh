#!/bin/sh
# Installs the Debian packages that the lab needs; installed ones are left unchanged. Starts nothing.
#   playground/lab/packages.sh              install the missing packages
#   playground/lab/packages.sh age podman   and also these
#   playground/lab/packages.sh --missing    only print their names, one per line
set -eu
mode=
if [ "${1-}" = --missing ]; then
  mode=$1
  shift
fi
missing=
for package in containerd runc containernetworking-plugins systemd-container openssh-server openssh-client sudo \
  dbus iproute2 iptables conntrack ethtool socat attr procps "$@"; do
  status=$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null) || status=
  [ "$status" = 'install ok installed' ] || missing="$missing $package"
done
if [ "$mode" = --missing ]; then
  for package in $missing; do echo "$package"; done
  exit
fi
[ -n "$missing" ] || exit 0

# A node's services run in the node; no package may start one on this machine.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
  trap 'rm -f "$policy"' EXIT
fi
export DEBIAN_FRONTEND=noninteractive
# The package lists may be old or missing; they are fetched then.
# shellcheck disable=SC2086  # a list of names
apt-get install -q -y --no-install-recommends $missing || {
  apt-get update -q
  apt-get install -q -y --no-install-recommends $missing
}
