#!/usr/bin/env bash
# Remove every virtual machine, and every test host of any prefix with the images as far as there is an engine that answers.
set -euo pipefail
cd "$(dirname "$0")/../.."

for pid in build/machines/*/pid; do
  [ ! -e "$pid" ] || python3 tests/hosts/machine.py destroy --name "$(basename "$(dirname "$pid")")"
done
docker version >/dev/null 2>&1 || exit 0
for network in $(docker network ls --filter label=autonomys.test-host --format '{{.Name}}'); do
  python3 tests/hosts/hosts.py destroy --prefix "${network%network}"
done
for image in autonomys-test-host autonomys-ee autonomys-ee-base; do
  docker images --quiet "$image" | xargs --no-run-if-empty docker rmi --force >/dev/null
done
