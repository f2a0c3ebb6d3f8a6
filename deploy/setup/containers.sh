# shellcheck shell=sh
# messenger in containers; read by setup.sh.
: "${root:?}" "${deploy:?}"

install_packages docker.io docker-compose-v2
settings=$root/.env
if [ ! -f "$settings" ]; then put "$settings" 0600 root:root <"$deploy/compose.env.example"; fi
for name in POSTGRES_PASSWORD JWT_SECRET TURN_SECRET; do set_once "$settings" "$name" "$(new_secret)"; done
if [ -n "${domain:-}" ]; then
  set_to "$settings" SITE_ADDRESS "$domain"
  set_to "$settings" PUBLIC_URL "https://$domain"
  set_to "$settings" TURN_URLS "$(urls_for_calls "$domain")"
fi
if [ -n "${external_ip:-}" ]; then set_to "$settings" TURN_EXTERNAL_IP "$external_ip"; fi

if is_booted; then systemctl enable --now docker.service >/dev/null; fi
say 'building and starting the containers'
docker compose --project-directory "$root" up --detach --build --wait
