# shellcheck shell=sh
# messenger by packages and systemd; read by setup.sh. Each part is brought to its state.
: "${root:?}" "${deploy:?}" "${work:?}"
was_changed=no

# Services that have to hear of a change; on the disk, so that a run that fails half way forgets none.
pending=/var/lib/messenger-setup
install -d -m 0700 "$pending"
must_restart() { : >"$pending/$1"; }
failures=
# Restarts a service that has to hear of a change. One that fails keeps no other from it.
restart_if_changed() {
  if [ ! -e "$pending/$1" ]; then return; fi
  say "restarting $1"
  if systemctl restart "$1"; then rm -f "$pending/$1"; else failures="$failures $1"; fi
}

# put_for SERVICE FILE MODE OWNER: what the service reads.
put_for() {
  service=$1
  shift
  put "$@"
  if [ "$was_changed" = yes ]; then must_restart "$service"; fi
}

# PostgreSQL 16 as Ubuntu 24.04 has it; another distribution's own version does, too.
postgres_package() {
  if apt-cache show postgresql-16 >/dev/null 2>&1; then echo postgresql-16; else echo postgresql; fi
}

place_binary() {
  case $(uname -m) in
  x86_64) target=linux-x64 ;;
  aarch64) target=linux-arm64 ;;
  *) fail "there is no binary for $(uname -m)" ;;
  esac
  if [ -z "${binary:-}" ]; then
    binary=$root/dist/messenger-$target
    if [ ! -f "$binary" ]; then
      install_packages npm
      say 'building messenger'
      (cd "$root" && npm run --silent build -- "$target")
    fi
  fi
  "$binary" version >/dev/null || fail "$binary does not run here"
  put_for messenger /usr/local/bin/messenger 0755 root:root <"$binary"
  install -d -m 0755 /usr/local/share/messenger
  install -m 0644 "$root/README.md" /usr/local/share/messenger/README.md
  install -m 0755 "$deploy/coturn/turn-certificate.sh" /usr/local/share/messenger/turn-certificate.sh
}

make_user() {
  if id messenger >/dev/null 2>&1; then return; fi
  say 'making the user messenger'
  useradd --system --user-group --home-dir /var/lib/messenger --shell /usr/sbin/nologin messenger
}

set_up_postgres() {
  version=$(pg_lsclusters -h | awk '$2 == "main" { print $1 }' | sort -n | tail -n 1)
  [ -n "$version" ] || fail 'PostgreSQL has no cluster named main'
  directory=/etc/postgresql/$version/main/conf.d
  install -d -o postgres -g postgres "$directory"
  put "$directory/messenger.conf" 0644 postgres:postgres <"$deploy/postgres/messenger.conf"
  if [ "$was_changed" = yes ]; then pg_ctlcluster "$version" main stop >/dev/null 2>&1 || :; fi
  if ! pg_ctlcluster "$version" main status >/dev/null 2>&1; then
    if is_booted; then systemctl start "postgresql@$version-main"; else pg_ctlcluster "$version" main start; fi
  fi
  # The user messenger of this machine is the role messenger of the database (peer): there is no password.
  if [ -z "$(in_postgres "select 1 from pg_roles where rolname = 'messenger'")" ]; then
    in_postgres 'create role messenger login'
    say 'made the database role messenger'
  fi
  if [ -z "$(in_postgres "select 1 from pg_database where datname = 'messenger'")" ]; then
    in_postgres "create database messenger owner messenger encoding 'UTF8' locale 'C.UTF-8' template template0"
    say 'made the database messenger'
  fi
}

in_postgres() { runuser -u postgres -- psql -X -q -A -t -v ON_ERROR_STOP=1 -d postgres -c "$1" </dev/null; }

settings=/etc/messenger/messenger.env

write_settings() {
  install -d -m 0750 -g messenger /etc/messenger
  if [ ! -f "$settings" ]; then put "$settings" 0640 root:messenger <"$deploy/.env.example"; fi
  before=$(cksum <"$settings")
  set_once "$settings" JWT_SECRET "$(new_secret)"
  set_once "$settings" DATABASE_URL 'postgres://messenger@/messenger?host=/var/run/postgresql'
  set_once "$settings" REDIS_URL "redis://:$(new_secret)@127.0.0.1:6379"
  set_once "$settings" TRUSTED_PROXIES 127.0.0.1,::1
  set_once "$settings" DRAIN_SECONDS 3
  set_once "$settings" TURN_SECRET "$(new_secret)"
  if [ -n "${domain:-}" ]; then
    set_to "$settings" PUBLIC_URL "https://$domain"
    set_to "$settings" TURN_URLS "$(urls_for_calls "$domain")"
  fi
  if [ ! -f /etc/messenger/backup.env ]; then
    put /etc/messenger/backup.env 0600 root:root <"$deploy/backup.env.example"
  fi
  set_once "$settings" PUBLIC_URL https://localhost
  set_once "$settings" TURN_URLS "$(urls_for_calls localhost)"
  if [ "$before" != "$(cksum <"$settings")" ]; then must_restart messenger; fi
}

# Our settings come last, so they hold; what the package has stays as it is.
set_up_redis() {
  password=$(setting "$settings" REDIS_URL | sed -n 's#^redis://:\([^@]*\)@.*#\1#p')
  {
    cat "$deploy/redis/redis.conf"
    printf 'bind 127.0.0.1 -::1\n'
    if [ -n "$password" ]; then printf 'requirepass %s\n' "$password"; fi
  } >"$work"
  put_for redis-server /etc/redis/messenger.conf 0640 redis:redis <"$work"
  if ! grep -qx 'include /etc/redis/messenger.conf' /etc/redis/redis.conf; then
    printf '\ninclude /etc/redis/messenger.conf\n' >>/etc/redis/redis.conf
    must_restart redis-server
  fi
}

set_up_caddy() {
  of_caddy=/etc/messenger/caddy.env
  if [ ! -f "$of_caddy" ]; then put "$of_caddy" 0644 root:root <"$deploy/caddy.env.example"; fi
  before=$(cksum <"$of_caddy")
  if [ -n "${domain:-}" ]; then set_to "$of_caddy" SITE_ADDRESS "$domain"; fi
  # Orders only from who may enter the directory, not from every program on this machine.
  if [ "$(setting "$of_caddy" CADDY_ADMIN)" = localhost:2019 ]; then
    set_to "$of_caddy" CADDY_ADMIN unix//run/caddy/admin.sock
  fi
  if [ "$before" != "$(cksum <"$of_caddy")" ]; then must_restart caddy; fi
  install -d -m 0755 /srv/messenger /srv/messenger/static
  if [ -f /etc/caddy/Caddyfile ] && [ ! -f /etc/caddy/Caddyfile.packaged ]; then
    cp /etc/caddy/Caddyfile /etc/caddy/Caddyfile.packaged
  fi
  put_for caddy /etc/caddy/Caddyfile 0644 root:root <"$root/Caddyfile"
}

set_up_coturn() {
  if [ -n "${external_ip:-}" ]; then set_to "$settings" TURN_EXTERNAL_IP "$external_ip"; fi
  address=$(setting "$settings" TURN_EXTERNAL_IP)
  {
    cat "$deploy/coturn/turnserver.conf"
    printf '\n# Of this machine, by setup.sh:\n'
    printf 'static-auth-secret=%s\n' "$(setting "$settings" TURN_SECRET)"
    if [ -n "$address" ]; then printf 'external-ip=%s\n' "$address"; fi
    # They are there when Caddy has got them (messenger-turn-certificate.timer).
    printf 'cert=/etc/messenger-turn/cert.pem\npkey=/etc/messenger-turn/key.pem\n'
  } >"$work"
  put_for coturn /etc/turnserver.conf 0640 root:turnserver <"$work"
}

place_units() {
  for unit in "$deploy"/systemd/*.service "$deploy"/systemd/*.target "$deploy"/systemd/*.timer; do
    put "/etc/systemd/system/${unit##*/}" 0644 root:root <"$unit"
    case $unit in */messenger@.service) if [ "$was_changed" = yes ]; then must_restart messenger; fi ;; esac
  done
  for directory in "$deploy"/systemd/*.service.d; do
    name=${directory##*/}
    install -d "/etc/systemd/system/$name"
    put "/etc/systemd/system/$name/messenger.conf" 0644 root:root <"$directory/messenger.conf"
    # Limits alone hold at once.
    case $name in postgresql@*) continue ;; esac
    if [ "$was_changed" = yes ]; then must_restart "${name%.service.d}"; fi
  done
  install -d /etc/systemd/journald.conf.d
  put_for systemd-journald /etc/systemd/journald.conf.d/messenger.conf 0644 root:root \
    <"$deploy/systemd/journald.conf.d/messenger.conf"
}

start_services() {
  if is_booted; then systemctl daemon-reload; fi
  timers='messenger-turn-certificate.timer messenger-backup-db.timer messenger-backup-media.timer'
  # shellcheck disable=SC2086 # names of units, one word each
  systemctl enable --quiet messenger.target messenger@8080.service $timers \
    redis-server.service caddy.service coturn.service
  if ! is_booted; then
    say 'systemd does not run here: the services start with the machine'
    return
  fi
  for service in systemd-journald redis-server caddy coturn; do restart_if_changed "$service"; done
  # One instance after the other; each has started when it can serve.
  for instance in $(systemctl list-units --plain --no-legend --state=active 'messenger@*.service' | awk '{ print $1 }'); do
    if [ -e "$pending/messenger" ]; then : >"$pending/$instance"; fi
    restart_if_changed "$instance"
  done
  rm -f "$pending/messenger"
  # shellcheck disable=SC2086 # names of units, one word each
  systemctl start messenger.target messenger@8080.service $timers || failures="$failures messenger"
  [ -z "$failures" ] || fail "these did not start:$failures; journalctl -u NAME says why"
}

if ! command -v pg_lsclusters >/dev/null; then
  apt-get update -qq
  install_packages "$(postgres_package)"
fi
install_packages ca-certificates redis-server caddy coturn ffmpeg
place_binary
make_user
write_settings
set_up_postgres
set_up_redis
set_up_caddy
set_up_coturn
place_units
start_services
