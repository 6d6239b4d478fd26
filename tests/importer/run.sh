#!/usr/bin/env bash
# Import the collection's artifact as Ansible Galaxy does, and fail at the first warning.
#
#   run.sh [ARTIFACT]        (in the repository's root, with the virtual environment first in PATH; without ARTIFACT, it is built)
set -euo pipefail

requirements=tests/importer/requirements.txt
environment=$PWD/.cache/importer
if [ "$environment/.complete" -ot "$requirements" ]; then
  [ -x "$environment/bin/python" ] || python -m venv "$environment"
  "$environment/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$requirements"
  touch "$environment/.complete"
fi

artifact=$(realpath "${1:-$(python tools/artifact.py build/importer)}")
patient=$PWD/tests/importer/patient.py
mkdir -p build/importer
cd build/importer
unset ANSIBLE_CONFIG
if ! said=$(PATH=$environment/bin:$PATH timeout 1500 python "$patient" "$artifact" 2>&1) ||
  grep -Eq '^(WARNING|ERROR|CRITICAL)|not found, skipping' <<<"$said"; then
  grep -v '^Loading ' <<<"$said" >&2
  echo "galaxy-importer: Galaxy would warn of what is above in $artifact" >&2
  exit 1
fi
