#!/bin/sh
# Starts coturn with what differs from place to place, in a file that it alone can read (a command line is for all to see):
# TURN_SECRET, TURN_EXTERNAL_IP (public/private, behind NAT), and the certificate, where there is one. Arguments are coturn's.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
certificates=${CERTIFICATES:-/certificates}
settings=$(mktemp)
chmod 600 "$settings"
{
  cat "$here/turnserver.conf"
  printf 'static-auth-secret=%s\n' "${TURN_SECRET:?}"
  if [ -n "${TURN_EXTERNAL_IP:-}" ]; then printf 'external-ip=%s\n' "$TURN_EXTERNAL_IP"; fi
  if [ -r "$certificates/cert.pem" ] && [ -r "$certificates/key.pem" ]; then
    printf 'cert=%s\npkey=%s\n' "$certificates/cert.pem" "$certificates/key.pem"
  fi
} >"$settings"
unset TURN_SECRET
exec turnserver -c "$settings" --pidfile= "$@"
