#!/usr/bin/env bash
# Run every sanity test of ansible-test over the collection, nothing skipped and nothing ignored, with every Python that this machine has.
#
#   run.sh [ansible-test sanity options]        (in the repository's root, with the virtual environment first in PATH)
set -euo pipefail

# ansible-test wants the collection in a tree and a repository of its own: a copy of what git tracks or would track.
copy=build/sanity/ansible_collections/autonomys/cluster
rm -rf "$copy"
mkdir -p "$copy"
git ls-files -z --cached --others --exclude-standard --deduplicate |
  while IFS= read -r -d '' file; do if [ -e "$file" ]; then printf '%s\0' "$file"; fi; done |
  tar --create --null --files-from=- | tar --extract --directory="$copy"
git init --quiet "$copy"

# ansible-test fills its virtual environments with a bootstrap script from a site that may be out of reach: the same pip from PyPI does it too.
version=24.2
cache=$HOME/.ansible/test/cache
bootstrap=$cache/get_pip_$(echo "$version" | tr . _).py
if [ ! -e "$bootstrap" ]; then
  mkdir -p "$cache"
  pip download --quiet --no-deps --dest "$cache" "pip==$version"
  cat >"$bootstrap" <<EOF
import runpy
import sys

sys.path.insert(0, "$cache/pip-$version-py3-none-any.whl")
sys.argv[1:] = ["install"] + [argument for argument in sys.argv[1:] if argument not in ("--no-setuptools", "--no-wheel")]
runpy.run_module("pip", run_name="__main__", alter_sys=True)
EOF
fi

# pyenv shows one Python at a time; ansible-test looks for each of them in PATH.
for folder in "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.*/bin; do
  [ -d "$folder" ] && PATH="$(dirname "$(command -v ansible-test)"):$folder:$PATH"
done
export PATH

cd "$copy"
exec ansible-test sanity --local --requirements --color no "$@"
