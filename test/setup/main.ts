/**
 * `npm run test:setup`: deploy/setup.sh on a clean machine (a minimal Debian with its own systemd, see box.ts), again, with
 * other options, through a killed server, a second instance and a reboot. Takes some minutes; needs root and Debian's mirror.
 */
import { join } from 'node:path'
import { built } from '../binary/built.ts'
import { makeBox } from './box.ts'

const SETUP = ['sh', '/usr/src/messenger/deploy/setup.sh']
const SERVICES = [
  'messenger@8080',
  'redis-server',
  'caddy',
  'coturn',
  'messenger-turn-certificate.timer',
  'messenger.target',
]
const say = (line: string) => void process.stdout.write(`test:setup: ${line}\n`)

function expect(isSo: boolean, what: string, details = ''): void {
  if (!isSo) throw new Error(`${what}: no\n${details}`)
  say(`ok: ${what}`)
}

for (const program of ['debootstrap', 'systemd-nspawn', 'nsenter', 'pgrep']) {
  if (!Bun.which(program)) throw new Error(`${program} is missing: apt-get install debootstrap systemd-container`)
}
if (process.getuid?.() !== 0) throw new Error('run this as root')

const box = await makeBox(await built('linux-x64'), say)
try {
  await box.boot()

  say('setting up')
  const first = await box.run(...SETUP)
  expect(first.code === 0, 'a clean machine is set up', first.output)
  await expectServices('all services run')
  await expectConversation('a conversation by HTTPS, through Caddy')
  const rules = (await box.run('ufw', 'show', 'added')).output
  for (const rule of ['80/tcp', '443', '3478/udp', '5349/tcp', '49152:49352/udp', '22/tcp'])
    expect(rules.includes(rule), `the firewall lets ${rule} in`, rules)
  await expectClosed()
  await box.run('systemctl', 'start', 'messenger-turn-certificate.service')
  const tls = await box.run('sh', '-c', 'stat -c "%a %G" /etc/messenger-turn/key.pem; sleep 2; ss -Hltn "sport = 5349"')
  expect(/^640 turnserver\n.*:5349/.test(tls.output), 'coturn speaks TLS with the certificate of Caddy', tls.output)

  const before = await stateOf()
  const second = await box.run(...SETUP)
  expect(second.code === 0, 'it may be run again', second.output)
  expect(
    !/wrote|set |restarting|made|installing/.test(second.output),
    'the second time it changes nothing',
    second.output,
  )
  expect((await stateOf()) === before, 'files and processes are the same')

  const secrets = await secretsOf()
  const renamed = await box.run(...SETUP, '--domain', 'chat.example.test', '--external-ip', '198.51.100.7')
  expect(renamed.code === 0, 'it takes another name', renamed.output)
  const settings = (
    await box.run('cat', '/etc/messenger/messenger.env', '/etc/messenger/caddy.env', '/etc/turnserver.conf')
  ).output
  for (const line of [
    'PUBLIC_URL=https://chat.example.test',
    'SITE_ADDRESS=chat.example.test',
    'external-ip=198.51.100.7',
  ])
    expect(settings.includes(`\n${line}\n`), line, settings)
  expect((await secretsOf()) === secrets, 'secrets stay')
  await expectServices('all services run')
  await box.run(...SETUP, '--domain', 'localhost')

  await box.run('systemctl', 'kill', '--signal=KILL', 'messenger@8080')
  await expectServices('a killed server is there again')
  const added = await box.run('systemctl', 'enable', '--now', 'messenger@8081')
  expect(added.code === 0, 'a second instance', added.output)
  await expectServices('both serve', ['messenger@8081'])

  await box.shutDown()
  await box.boot()
  await expectServices('after a reboot all is there', [...SERVICES, 'messenger@8081'])
  await expectConversation('and serves')

  const alone =
    'sed -i "/^DATABASE_URL=/d; /^REDIS_URL=/d" /etc/messenger/messenger.env && systemctl stop messenger@8081'
  await box.run('sh', '-c', alone)
  const restarted = await box.run('systemctl', 'restart', 'messenger@8080')
  expect(restarted.code === 0, 'with a PostgreSQL of its own it runs as hardened', restarted.output)
  await expectConversation('and serves')
  say('all is well')
} finally {
  await box.remove()
}

async function expectServices(what: string, services: readonly string[] = SERVICES): Promise<void> {
  let states = ''
  for (let i = 0; i < 60; i++) {
    const { output } = await box.run('systemctl', 'is-active', ...services)
    states = output.trim().split('\n').join(' ')
    if (states.split(' ').every((state) => state === 'active')) break
    await Bun.sleep(500)
  }
  const isSo = states.split(' ').every((state) => state === 'active')
  expect(
    isSo,
    what,
    `${services.join(' ')}: ${states}\n${(await box.run('journalctl', '-p', '4', '-n', '40', '-o', 'cat')).output}`,
  )
}

async function expectConversation(what: string): Promise<void> {
  const { code, output } = await box.runBeside(process.execPath, join(import.meta.dir, 'conversation.ts'))
  const said =
    code === 0
      ? ''
      : (await box.run('journalctl', '-n', '60', '-o', 'cat', '-u', 'messenger@8080', '-u', 'caddy')).output
  expect(code === 0, what, output + said)
}

/** Listens on the network: what is meant to, and nothing else. */
async function expectClosed(): Promise<void> {
  const { output } = await box.run('ss', '-Hltn')
  const open = output
    .split('\n')
    .map((line) => line.trim().split(/\s+/)[3] ?? '')
    .filter((address) => address !== '' && !/^(127\.|\[::1\])/.test(address))
    .map((address) => address.slice(address.lastIndexOf(':') + 1))
  const unexpected = [...new Set(open)].filter((port) => !['80', '443', '3478', '5349'].includes(port))
  expect(unexpected.length === 0, 'nothing else listens on the network', output)
}

async function stateOf(): Promise<string> {
  const files = 'find /etc /usr/local /srv -type f -not -name "*.cache" | sort | xargs sha256sum | sha256sum'
  const processes = `systemctl show -p MainPID ${SERVICES.slice(0, 4).join(' ')} postgresql@*-main`
  return (await box.run('sh', '-c', `${files}; ${processes}`)).output
}

async function secretsOf(): Promise<string> {
  return (await box.run('grep', '-E', '^(JWT_SECRET|REDIS_URL|TURN_SECRET)=', '/etc/messenger/messenger.env')).output
}
