# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What every script needs: a way to fail in one sentence, progress lines, the project's folders. Source it after `set -euo pipefail`.

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cache=${VTCP_CACHE:-$repository/.cache}
logs=$cache/logs
mkdir -p "$cache" "$logs"
cache=$(cd "$cache" && pwd)
logs=$cache/logs
export VTCP_CACHE=$cache
# Debian's own Python: python3-pytest is installed for it, not for one that stands earlier in PATH.
python=/usr/bin/python3

# die SENTENCE: says what is wrong and ends the script. `step` shows the sentence alone, without the log around it.
die() {
  printf 'vtcp: %s\n' "$*" >&2
  exit 1
}

# now: milliseconds since some fixed moment.
now() { echo $(($(date +%s%N) / 1000000)); }

# seconds MILLISECONDS: "12.3 s".
seconds() { printf '%d.%d s' $(($1 / 1000)) $(($1 % 1000 / 100)); }

# step TITLE COMMAND...: one progress line. The command's output goes to a log, which is shown only when the command fails.
step() {
  local title=$1 status start log
  shift
  start=$(now)
  log=$logs/$(tr -cs 'A-Za-z0-9.\n' '-' <<<"$title" | cut -c1-60).log
  printf '  %-58s ' "$title"
  # Not in an `if` or `||`: there bash would ignore `set -e` inside the command.
  set +e
  (set -e; "$@") >"$log" 2>&1 </dev/null
  status=$?
  set -e
  if ((status == 0)); then
    seconds $(($(now) - start))
    echo
    return
  fi
  echo failed
  if [[ $(tail -n 1 "$log") == 'vtcp: '* ]]; then
    tail -n 1 "$log" >&2
  else
    tail -n 40 "$log" >&2
    printf 'vtcp: "%s" failed with status %d; its whole output is in %s\n' "$title" "$status" "$log" >&2
  fi
  exit "$status"
}

require_root() {
  [[ $EUID -eq 0 ]] || die "this needs root, because it installs packages and creates TAP devices in a network namespace of its own."
}

require_swift() {
  command -v swift >/dev/null || die "there is no swift in PATH: install a Swift 6.2 or later toolchain from swift.org and try again."
}

require_tun() {
  [[ -c /dev/net/tun ]] || die "there is no /dev/net/tun: load the kernel module tun, or give this container the device."
}
