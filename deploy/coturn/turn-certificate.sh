#!/bin/sh
# Copies the certificate of SITE_ADDRESS from Caddy's store to where coturn may read it, and tells coturn when it is a
# new one. Run by messenger-turn-certificate.timer, as root.
set -eu

store=${CADDY_STORE:-/var/lib/caddy/.local/share/caddy/certificates}
place=${TURN_CERTIFICATES:-/etc/messenger-turn}
name=${SITE_ADDRESS:?}

# One directory for each authority; the newest certificate counts.
newest=$(find "$store" -path "*/$name/$name.crt" -printf '%T@ %p\n' 2>/dev/null | sort -n | tail -n 1 | cut -d ' ' -f 2-)
if [ -z "$newest" ]; then
  echo "turn-certificate.sh: Caddy has no certificate for $name yet"
  exit 0
fi
if cmp -s "$newest" "$place/cert.pem" && cmp -s "${newest%.crt}.key" "$place/key.pem"; then exit 0; fi

# With its first certificate coturn begins to listen for TLS; a later one it takes without ending a call.
if [ -f "$place/cert.pem" ]; then tell='systemctl kill --signal=USR2'; else tell='systemctl try-restart'; fi
install -d -m 0750 -g turnserver "$place"
install -m 0640 -g turnserver "${newest%.crt}.key" "$place/key.pem"
install -m 0640 -g turnserver "$newest" "$place/cert.pem"
echo "turn-certificate.sh: coturn gets the certificate of $name"
$tell coturn.service
