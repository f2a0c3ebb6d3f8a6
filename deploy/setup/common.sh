# shellcheck shell=sh
# What both ways of setting up need; read by setup.sh.

say() { printf 'setup.sh: %s\n' "$*"; }
fail() {
  say "$*" >&2
  exit 1
}

new_secret() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }

install_packages() {
  missing=
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
  done
  if [ -z "$missing" ]; then return; fi
  say "installing$missing"
  apt-get update -qq
  # shellcheck disable=SC2086 # one word each
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
}

# Whether systemd runs here; in a chroot services are only prepared, and start with the machine.
is_booted() { [ -d /run/systemd/system ]; }

work=$(mktemp)
trap 'rm -f "$work"' EXIT

# put FILE MODE OWNER: standard input becomes the file, whole or not at all. Says in $was_changed whether it was another.
put() {
  was_changed=no
  draft=$(mktemp "$1.XXXXXX")
  cat >"$draft"
  chown "$3" "$draft"
  chmod "$2" "$draft"
  if cmp -s "$draft" "$1"; then
    rm "$draft"
    chown "$3" "$1"
    chmod "$2" "$1"
    return
  fi
  mv "$draft" "$1"
  # shellcheck disable=SC2034 # packages.sh asks
  was_changed=yes
  say "wrote $1"
}

# The value of a setting in a file of NAME=VALUE lines; nothing when it is not set there.
setting() { sed -n "s/^$2=//p" "$1" 2>/dev/null | tail -n 1; }

# with_setting FILE NAME VALUE: prints the file with the setting, in the place where the example has it.
with_setting() {
  NAME=$2 VALUE=$3 awk '
    BEGIN { line = ENVIRON["NAME"] "=" ENVIRON["VALUE"]; start = "^#?" ENVIRON["NAME"] "=" }
    $0 ~ start { if (!done) print line; done = 1; next }
    { print }
    END { if (!done) print line }' "$1"
}

# set_to FILE NAME VALUE: changes the file when it says something else. Its mode and owner stay.
set_to() {
  if [ "$(setting "$1" "$2")" = "$3" ]; then return; fi
  with_setting "$1" "$2" "$3" >"$work"
  cp -p "$1" "$1.draft"
  cat "$work" >"$1.draft"
  mv "$1.draft" "$1"
  say "set $2 in $1"
}

# The same for what is only a first value, which the operator may have changed since.
set_once() {
  if [ -z "$(setting "$1" "$2")" ]; then set_to "$1" "$2" "$3"; fi
}

# urls_for_calls NAME: where clients find the relay.
urls_for_calls() {
  printf 'stun:%s:3478,turn:%s:3478?transport=udp,turn:%s:3478?transport=tcp' "$1" "$1" "$1"
  # A certificate comes only for a name that others know.
  case $1 in localhost) ;; *) printf ',turns:%s:5349?transport=tcp' "$1" ;; esac
}

open_firewall() {
  install_packages ufw
  # First of all the door through which one came.
  ports=$(sshd -T 2>/dev/null | sed -n 's/^port //p')
  for port in ${ports:-22}; do allow "$port/tcp"; done
  for port in 80/tcp 443/tcp 443/udp 3478/tcp 3478/udp 5349/tcp 5349/udp 49152:49352/udp; do allow "$port"; done
  if ufw status | grep -q '^Status: active'; then return; fi
  say 'closing the firewall for everything else'
  ufw --force enable >/dev/null || say 'the firewall cannot be closed here; its rules are kept'
}

allow() { ufw allow "$1" >/dev/null; }
