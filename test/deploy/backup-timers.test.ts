/** The timers of the backups, and the services that they start. */
import { expect, it } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadConfig } from '../../src/config.ts'

const SYSTEMD = join(import.meta.dir, '../../deploy/systemd')
const NAMES = ['messenger-backup-db', 'messenger-backup-media']

/** The values of each key of a unit. */
async function readUnit(name: string): Promise<Map<string, string[]>> {
  const values = new Map<string, string[]>()
  for (const line of (await Bun.file(join(SYSTEMD, name)).text()).split('\n')) {
    const [, key, value] = /^([A-Za-z]+)=(.*)$/.exec(line) ?? []
    if (key !== undefined && value !== undefined) values.set(key, [...(values.get(key) ?? []), value])
  }
  return values
}

it('run every night and every week', async () => {
  const calendars = await Promise.all(NAMES.map(async (name) => (await readUnit(`${name}.timer`)).get('OnCalendar')))
  const next = calendars.map((calendar) => {
    const { stdout, exitCode } = Bun.spawnSync(
      [systemdAnalyze(), 'calendar', '--iterations=2', '--base-time=2026-01-15 00:00 UTC', calendar?.[0] ?? ''],
      { env: { TZ: 'UTC', PATH: process.env.PATH } },
    )
    expect(exitCode).toBe(0)
    const times = [...String(stdout).matchAll(/(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC/g)].map(([, time]) =>
      Date.parse(`${time}Z`),
    )
    return [...new Set(times)].sort()
  })
  const hoursBetween = next.map(([first = 0, second = 0]) => (second - first) / 3_600_000)
  expect(hoursBetween).toEqual([24, 7 * 24])
})

it('start what the command line understands, with settings that are there', async () => {
  for (const [index, part] of ['database', 'media'].entries()) {
    const unit = await readUnit(`${NAMES[index]}.service`)
    const variable = /^BACKUP_(DB|MEDIA)_TO=/.exec(unit.get('Environment')?.[0] ?? '')?.[0].slice(0, -1)
    expect(unit.get('ExecStart')).toEqual([
      `/usr/bin/env DATA_DIR=/var/lib/messenger /usr/local/bin/messenger backup --only ${part} \${${variable}}`,
    ])
    // What the operator wrote comes after the default, so it holds.
    expect(unit.get('EnvironmentFile')).toEqual(['/etc/messenger/messenger.env', '-/etc/messenger/backup.env'])
  }
  const example = await Bun.file(join(SYSTEMD, '../backup.env.example')).text()
  const names = [...example.matchAll(/^#([A-Z0-9_]+)=/gm)].map(([, name = '']) => name)
  const settings = Object.keys(loadConfig({}))
  expect(names.filter((name) => !settings.includes(name))).toEqual(['BACKUP_DB_TO', 'BACKUP_MEDIA_TO'])
})

it('are units that systemd understands', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'messenger-units-'))
  const text = async (name: string) =>
    (await Bun.file(join(SYSTEMD, name)).text()).replaceAll('/usr/local/bin/messenger', '/bin/true')
  const files = NAMES.flatMap((name) => [`${name}.service`, `${name}.timer`])
  for (const name of files) await Bun.write(join(folder, name), await text(name))
  const verified = Bun.spawnSync([systemdAnalyze(), 'verify', '--man=no', ...files.map((name) => join(folder, name))])
  const said = String(verified.stderr)
    .split('\n')
    .filter((line) => line.includes('messenger-backup'))
  expect(said).toEqual([])
  await rm(folder, { recursive: true })
})

function systemdAnalyze(): string {
  const binary = Bun.which('systemd-analyze')
  if (!binary) throw new Error('systemd-analyze is not installed: `npm test` installs it')
  return binary
}
