#!/bin/sh
# Sets messenger up on Ubuntu 24.04 (Debian works as well), from a checkout of this repository, as root. May be run again,
# with a newer checkout or other options: it changes only what differs and keeps every secret.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
deploy=$root/deploy

# shellcheck source=deploy/setup/common.sh
. "$deploy/setup/common.sh"

usage() {
  cat <<'END'
Usage: sh deploy/setup.sh [OPTION...]

  --domain NAME      the name that points to this machine; Caddy gets a certificate for it (default: localhost)
  --external-ip IP   this machine's public address, where it has only a private one: for calls
  --binary FILE      the binary to install; default: the one in dist/, else it is built
  --docker           containers, by compose.yaml, instead of packages and systemd
  --no-firewall      leaves the firewall as it is
  --help             prints this
END
}

domain=
external_ip=
binary=
mode=packages
firewall=yes
while [ $# -gt 0 ]; do
  case $1 in
  --domain | --external-ip | --binary)
    if [ $# -lt 2 ] || [ -z "$2" ]; then fail "$1 needs a value"; fi
    case $1 in
    --domain) domain=$2 ;;
    --external-ip) external_ip=$2 ;;
    --binary) binary=$2 ;;
    esac
    shift
    ;;
  --docker) mode=docker ;;
  --no-firewall) firewall=no ;;
  --help)
    usage
    exit 0
    ;;
  *)
    usage >&2
    exit 2
    ;;
  esac
  shift
done
case $domain in *[!A-Za-z0-9.-]*) fail "$domain is no name of a host" ;; esac
case $external_ip in *[!0-9a-fA-F.:/]*) fail "$external_ip is no address" ;; esac

[ "$(id -u)" -eq 0 ] || fail 'run this as root'
command -v apt-get >/dev/null || fail 'this is for Ubuntu 24.04 and its relatives: there is no apt-get'

if [ "$mode" = docker ]; then
  # shellcheck source=deploy/setup/containers.sh
  . "$deploy/setup/containers.sh"
else
  # shellcheck source=deploy/setup/packages.sh
  . "$deploy/setup/packages.sh"
fi
if [ "$firewall" = yes ]; then open_firewall; fi
say "ready: $(setting "${settings:?}" PUBLIC_URL)"
