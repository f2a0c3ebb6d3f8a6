#!/bin/sh
# Runs the suites: test.sh [ARGUMENT of bun test...], by `npm test`. What they start beside our server (Redis, Caddy, coturn,
# Chromium, promtool) comes from the system's packages; what is missing is installed, which needs root or sudo without a
# password.
set -eu

say() { printf 'test.sh: %s\n' "$*" >&2; }
fail() {
  say "$*"
  exit 1
}

missing=
needs() {
  command -v "$1" >/dev/null || missing="$missing $2"
}
needs_file() {
  [ -e "$1" ] || missing="$missing $2"
}
needs redis-server redis-server
needs redis-cli redis-tools
needs caddy caddy
needs promtool prometheus
needs systemd-analyze systemd
needs curl curl
needs ffmpeg ffmpeg
needs ffprobe ffmpeg
needs turnserver coturn
needs turnutils_uclient coturn
needs openssl openssl
needs faketime faketime
needs chromium chromium
needs shellcheck shellcheck
needs docker-compose docker-compose
# The binary on other processors.
if [ "$(uname -m)" = x86_64 ]; then
  needs qemu-x86_64 qemu-user
  needs_file '/usr/aarch64-linux-gnu/lib/libstdc++.so.6' libstdc++6-arm64-cross
fi
needs_file /usr/share/fonts/truetype/noto/NotoSans-Regular.ttf fonts-noto-core
needs_file /usr/share/fonts/truetype/noto/NotoColorEmoji.ttf fonts-noto-color-emoji

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -n "$@"; fi
}

install_missing() {
  command -v apt-get >/dev/null || fail "the tests need$missing: install them"
  [ "$(id -u)" -eq 0 ] || sudo -n true 2>/dev/null || fail "the tests need$missing: install them, or run this as root"
  say "installing$missing"
  # shellcheck disable=SC2086 # names of packages, one word each
  install() { as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing; }
  # The list of packages may be missing or out of date.
  { install || { as_root apt-get update -qq && install; }; } >&2 </dev/null || fail "cannot install$missing"
}

if [ -n "$missing" ]; then install_missing; fi
if [ $# -gt 0 ]; then exec bun test --timeout 60000 "$@"; fi

# Tests wait more than they work: two halves at once take little more than half the time. The second's words come after
# the first's.
second=$(mktemp)
bun test --timeout 60000 --shard=2/2 >"$second" 2>&1 </dev/null &
other=$!
trap 'rm -f "$second"' EXIT
trap 'kill "$other" 2>/dev/null; exit 130' INT TERM
verdict=0
# One that is killed says nothing itself.
ended() {
  if [ "$2" -ne 0 ]; then
    say "the $1 half ended with $2"
    verdict=$2
  fi
}
# Bun leaves a pipe that it shared with us such that it refuses what it has no room for, and `cat` gives up then.
show='for await (const piece of Bun.file(process.argv[1]).stream())
  if (!process.stdout.write(piece)) await new Promise((go) => process.stdout.once("drain", go))'
code=0
bun test --timeout 60000 --shard=1/2 || code=$?
ended first "$code"
code=0
wait "$other" || code=$?
bun -e "$show" "$second"
ended second "$code"
exit "$verdict"
