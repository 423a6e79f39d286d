#!/bin/sh
# Rewrites go.mod and go.sum for a version of Kubernetes:  tools/go/kubernetes/generate.sh 1.34.4
#
# k8s.io/kubernetes alone can't be built from the module proxy: its go.mod takes the modules of its staging folder from
# paths of its repository. Here each of them is replaced by the module that is published with the same release, v0.34.4 for
# v1.34.4. Replacements count only in the main module, hence this one.
set -eu
version=${1:?usage: generate.sh <version of Kubernetes, such as 1.34.4>}
staging=v0.${version#1.}
cd "$(dirname "$0")"

upstream=$(cd / && go mod download -json "k8s.io/kubernetes@v$version" | sed -n 's/.*"GoMod": "\(.*\)".*/\1/p')

rm -f go.mod go.sum
{
  echo 'module salvor.dev/tools/kubernetes'
  # The language version and the runtime defaults that Kubernetes is released with.
  grep -E '^(go|godebug) ' "$upstream"
  echo 'tool ('
  for name in kube-apiserver kube-controller-manager kube-scheduler kubeadm kubectl kubelet; do
    echo "  k8s.io/kubernetes/cmd/$name"
  done
  printf ')\n\nrequire k8s.io/kubernetes v%s\n\n' "$version"
  echo 'replace ('
  sed -n "s|^[[:space:]]*\(k8s.io/[a-z-]*\) => ./staging/.*|  \1 => \1 $staging|p" "$upstream"
  echo ')'
} >go.mod
go mod tidy
