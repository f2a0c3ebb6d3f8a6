#!/bin/sh
# What must hold before a commit: types, lint and format, migrations in step with the schema. Run by `npm run check`.
set -eu

tsc --noEmit
tsc --noEmit -p src/web
tsc --noEmit -p src/web/worker
tsc --noEmit -p test/web/e2e
biome check --error-on-warnings
drizzle-kit check --config drizzle/config.ts

# A change of the schema without its migration would be generated now: in a copy, so that nothing is left behind.
copy=.check-migrations.$$
trap 'rm -rf "$copy"' EXIT
mkdir "$copy"
cp -R drizzle/meta drizzle/*.sql "$copy"
generated=$(drizzle-kit generate --dialect postgresql --schema ./src/db/schema/index.ts --out "./$copy" 2>&1 </dev/null) || :
# Its exit code is 0 even when it wanted to ask something (was this column renamed?) and nobody answered.
case $generated in
*'No schema changes'*) ;;
*)
  printf '%s\n' "$generated" >&2
  echo 'check.sh: the schema has changes without a migration: run "npm run db:generate"' >&2
  exit 1
  ;;
esac
echo 'check.sh: all is well'
