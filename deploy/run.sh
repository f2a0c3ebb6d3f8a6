#!/bin/sh
# Runs a command with the Bun and the packages that this project asks for: run.sh COMMAND [ARGUMENT...]
# Bun comes from PATH, else from .bun/, where npm or another Bun puts it first; packages are installed when package.json
# or the lock file changed. Needs npm or Bun, nothing else; install scripts never run.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
cd "$root"
version=$(sed -n 's/^ *"bun": *"\([0-9.]*\)".*/\1/p' package.json | head -n 1)
store=.bun
lock=$store/lock
stamp_file=node_modules/.installed

. deploy/installing.sh

say() { printf 'run.sh: %s\n' "$*" >&2; }
fail() {
  say "$*"
  exit 1
}

is_right_bun() { [ "$("$1" --version 2>/dev/null)" = "$version" ]; }

# Prints the path of a Bun of the right version; a package for another processor or C library doesn't run.
find_bun() {
  for candidate in "$(command -v bun || :)" "${npm_execpath:-}" "$root/$store/$version"/node_modules/@oven/bun-*/bin/bun; do
    case ${candidate##*/} in bun) ;; *) continue ;; esac
    if is_right_bun "$candidate"; then
      printf '%s\n' "$candidate"
      return
    fi
  done
  return 1
}

# One installation at a time: the others wait here, and then find the work done.
take_lock() {
  mkdir -p "$store" 2>/dev/null || :
  while ! ln -s "$$" "$lock" 2>/dev/null; do
    holder=$(readlink "$lock") || {
      if [ ! -w "$store" ]; then fail "cannot write to $root/$store: install as the user who owns it"; fi
      continue
    }
    if [ -d "/proc/$holder" ]; then sleep 0.2; else rm -f "$lock"; fi
  done
  trap 'rm -f "$lock"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
}

drop_lock() {
  rm -f "$lock"
  trap - EXIT INT TERM HUP
}

fetch_bun() {
  command -v npm >/dev/null || command -v bun >/dev/null || [ -x "${npm_execpath:-}" ] ||
    fail "neither npm nor Bun is installed: install Bun $version"
  say "fetching Bun $version"
  draft=$store/draft.$$
  rm -rf "$draft" "${store:?}/$version"
  mkdir -p "$draft"
  printf '{ "private": true }\n' >"$draft/package.json"
  if command -v npm >/dev/null; then
    installing npm install --prefix "$draft" --ignore-scripts --no-save --no-package-lock --no-audit --no-fund \
      --no-update-notifier --loglevel=error "bun@$version" || fetch_failed
  else
    other=$(command -v bun || printf '%s' "$npm_execpath")
    installing "$other" add --cwd "$draft" --ignore-scripts --exact "bun@$version" || fetch_failed
  fi
  mv "$draft" "$store/$version"
}

fetch_failed() {
  rm -rf "$draft"
  fail "cannot fetch Bun $version (is the network there?)"
}

# What an installation depends on: package.json, the lock file, patches, the platform.
wanted_stamp() {
  printf '%s %s\n' "$(cat package.json bun.lock deploy/patches/* 2>/dev/null | cksum)" "$(uname -sm)"
}

is_installed() { [ -f "$stamp_file" ] && [ "$(cat "$stamp_file")" = "$(wanted_stamp)" ]; }

# Somebody else put the packages there, and we can't write: then they have to be the right ones.
is_complete() {
  # shellcheck disable=SC2016 # it is JavaScript
  "$bun" -e '
    const { dependencies, devDependencies } = await Bun.file("package.json").json()
    for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) {
      const found = await Bun.file(`node_modules/${name}/package.json`).json()
      if (found.version !== version) process.exit(1)
    }' >/dev/null 2>&1
}

install_packages() {
  say 'installing packages'
  rm -f "$stamp_file"
  installing "$bun" install --frozen-lockfile --ignore-scripts --no-progress ||
    fail 'cannot install the packages (is the network there?)'
  wanted_stamp >"$stamp_file"
}

[ -n "$version" ] || fail 'package.json names no version of Bun in engines.bun'
[ $# -gt 0 ] || fail 'which command?'

if ! bun=$(find_bun); then
  take_lock
  if ! bun=$(find_bun); then
    fetch_bun
    bun=$(find_bun) || fail "Bun $version does not run on this machine ($(uname -sm))"
  fi
  drop_lock
fi

if ! is_installed; then
  if [ -d node_modules ] && [ ! -w node_modules ]; then
    is_complete || fail "node_modules is out of date and this user cannot write to it: install as the user who owns it"
  else
    take_lock
    is_installed || install_packages
    drop_lock
  fi
fi

# The packages' programs ask for node; where there is none, Bun is one by that name.
if ! command -v node >/dev/null && mkdir -p "$store/node" 2>/dev/null; then
  ln -sf "$bun" "$store/node/node" 2>/dev/null || :
  PATH=$PATH:$root/$store/node
fi
PATH=$(dirname -- "$bun"):$root/node_modules/.bin:$PATH
export PATH
exec "$@"
