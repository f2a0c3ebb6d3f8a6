# shellcheck shell=sh
# How packages are fetched; read by run.sh and binary/fetch.sh, which set $root and $store.
: "${root:?}" "${store:?}"

# Runs an installer, its output on stderr, with a home it can write to (a service's user often has none) and with
# npm's ideas of the registry and the certificates, which Bun doesn't read by itself.
installing() (
  if [ -z "${HOME:-}" ] || [ ! -w "$HOME" ]; then
    HOME=$root/$store/home
    # `npm test` hands the cache of the old home on to us.
    npm_config_cache=$HOME/.npm
    mkdir -p "$HOME"
    export HOME npm_config_cache
  fi
  export NODE_USE_SYSTEM_CA=1
  if command -v npm >/dev/null; then
    if [ -z "${NPM_CONFIG_REGISTRY:-${npm_config_registry:-}}" ]; then
      NPM_CONFIG_REGISTRY=$(npm config get registry 2>/dev/null)
      export NPM_CONFIG_REGISTRY
    fi
    if [ -z "${NODE_EXTRA_CA_CERTS:-}" ]; then
      certificates=$(npm config get cafile 2>/dev/null)
      if [ -f "$certificates" ]; then export NODE_EXTRA_CA_CERTS="$certificates"; fi
    fi
  fi
  "$@" >&2 </dev/null
)
