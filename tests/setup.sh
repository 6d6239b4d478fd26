#!/usr/bin/env bash
# Install what the Makefile's targets need: system packages (as root, with apt), .venv, and the collection's name for this checkout.
# setup.sh [COMMAND PACKAGE...]: with one more command that a target needs, and the packages that it takes.
set -euo pipefail
cd "$(dirname "$0")/.."

# A controller of ansible-core 2.19 needs Python 3.11.
python=
for candidate in python3 python3.13 python3.12 python3.11 /usr/bin/python3; do
  if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    python=$candidate
    break
  fi
done
if [ -z "$python" ]; then
  echo "setup: Python 3.11 or newer is missing. Install it and run make again." >&2
  exit 1
fi

missing=()
need() { # command package...
  command -v "$1" >/dev/null || PATH=$PATH:/usr/sbin:/sbin command -v "$1" >/dev/null || missing+=("${@:2}")
}
"$python" -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)
# A client alone does not run containers.
docker version >/dev/null 2>&1 || need dockerd docker.io
need mkfs.ext4 e2fsprogs
need mmdebstrap mmdebstrap
need numactl numactl
need pgrep procps
need ssh openssh-client
need unzip unzip
# The distribution's, beside the newest one of .venv: supervisor_program is tested with both.
[ -x /usr/bin/supervisord ] || missing+=(supervisor)
[ $# -lt 2 ] || need "$@"
if [ "${#missing[@]}" -gt 0 ]; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "setup: installing with apt: ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    apt-get -qq update
    # A service must not start at once: where it does, the package's own start could fail for want of an init system.
    apt-get -qq install --yes --no-install-recommends "${missing[@]}" >/dev/null
  else
    echo "setup: these system packages are missing: ${missing[*]}" >&2
    echo "setup: install them and run make again: sudo apt-get install ${missing[*]}" >&2
    exit 1
  fi
fi

echo "setup: installing Python packages into .venv with $("$python" --version)"
[ -x .venv/bin/python ] || "$python" -m venv .venv
.venv/bin/python -m pip install --quiet --disable-pip-version-check --requirement requirements-dev.txt

# The checkout is found by the collection's name.
mkdir -p .ansible/collections/ansible_collections/autonomys
ln -sfn ../../../.. .ansible/collections/ansible_collections/autonomys/cluster

touch .venv/.complete
echo "setup: done"
