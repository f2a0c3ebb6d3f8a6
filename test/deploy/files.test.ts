/** What deploy/ holds, by the programs that will read it. */
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { chmodSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { prepareCluster } from '../../src/embedded/cluster.ts'
import { isRoot, nobody } from '../../src/embedded/identity.ts'
import { nativeFiles } from '../../src/embedded/native.ts'
import { createLog } from '../../src/observability/log.ts'
import { makeDataDir } from '../commands/process.ts'
import { startRedis } from '../support/redis.ts'

const ROOT = join(import.meta.dir, '../..')
const DEPLOY = join(ROOT, 'deploy')
const SECRET = '0123456789abcdef0123456789abcdef'

function run(command: string[], options: { cwd?: string; env?: Record<string, string> } = {}) {
  const { exitCode, stdout, stderr } = Bun.spawnSync(command, {
    ...options,
    env: { PATH: process.env.PATH ?? '', HOME: tmpdir(), ...options.env },
  })
  return { code: exitCode, output: stdout.toString() + stderr.toString() }
}

let home: string
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'messenger-deploy-'))
})
afterAll(() => rmSync(home, { recursive: true, force: true }))

describe('shell scripts', () => {
  const scripts = run(['git', 'ls-files', '--cached', '--others', '--exclude-standard'], { cwd: ROOT })
    .output.split('\n')
    .filter((path) => path.endsWith('.sh') || path === '.ci/run')

  it('are fine with shellcheck', () => {
    expect(scripts.length).toBeGreaterThan(8)
    expect(run(['shellcheck', '--external-sources', '--source-path=.', ...scripts], { cwd: ROOT })).toEqual({
      code: 0,
      output: '',
    })
  })
})

describe('systemd units', () => {
  const units = readdirSync(join(DEPLOY, 'systemd')).filter((name) => /\.(service|target|timer)$/.test(name))
  const instances = units.map((name) => name.replace('@.', '@8080.'))
  beforeAll(() => cpSync(join(DEPLOY, 'systemd'), join(home, 'units'), { recursive: true }))

  it('are fine with systemd-analyze', () => {
    expect(units).toContain('messenger.target')
    const { code, output } = run(['systemd-analyze', 'verify', ...instances.map((name) => `./${name}`)], {
      cwd: join(home, 'units'),
    })
    // A script or a package that is not on this machine is no fault of the unit.
    const faults = output.split('\n').filter((line) => line !== '' && !/is not executable|Failed to add/.test(line))
    expect(faults).toEqual([])
    expect(code).toBeOneOf([0, 1])
  })

  it('leave the server little that it could do', () => {
    const command = ['systemd-analyze', 'security', '--offline=true', '--threshold=20', './messenger@8080.service']
    const { code, output } = run(command, { cwd: join(home, 'units') })
    expect(output).toContain('Overall exposure level')
    expect(code).toBe(0)
  })

  it('keep to the memory that a box of 4 GB has', () => {
    const limitOf = (path: string) =>
      Number(/^MemoryMax=(\d+)M$/m.exec(readFileSync(join(DEPLOY, 'systemd', path), 'utf8'))?.[1])
    const limits = {
      messenger: limitOf('messenger@.service'),
      postgres: limitOf('postgresql@.service.d/messenger.conf'),
      redis: limitOf('redis-server.service.d/messenger.conf'),
      caddy: limitOf('caddy.service.d/messenger.conf'),
      coturn: limitOf('coturn.service.d/messenger.conf'),
    }
    expect(limits).toEqual({ messenger: 1024, postgres: 800, redis: 128, caddy: 128, coturn: 128 })
  })
})

interface Service {
  container_name: string
  mem_limit: string
  restart: string
  healthcheck?: object
  ports?: (string | { published: number; target: number; protocol?: string })[]
  network_mode?: string
  logging: { driver: string }
}

describe('compose.yaml', () => {
  let services: Record<string, Service>
  beforeAll(() => {
    const project = join(home, 'project')
    cpSync(join(ROOT, 'compose.yaml'), join(project, 'compose.yaml'))
    const example = readFileSync(join(DEPLOY, 'compose.env.example'), 'utf8')
    writeFileSync(
      join(project, '.env'),
      example.replace(/^(POSTGRES_PASSWORD|JWT_SECRET|TURN_SECRET)=$/gm, `$1=${SECRET}`),
    )
    const { code, output } = run(['docker-compose', 'config'], { cwd: project })
    if (code !== 0) throw new Error(output)
    services = (Bun.YAML.parse(output) as { services: Record<string, Service> }).services
  })

  it('has containers by their names, each watched, restarted, limited and logged', () => {
    const limits = Object.values(services).map((service) => [service.container_name, service.mem_limit])
    expect(Object.fromEntries(limits)).toEqual({
      'messenger-api': '1024m',
      'messenger-api-second': '1024m',
      'messenger-caddy': '128m',
      'messenger-coturn': '128m',
      'messenger-postgres': '800m',
      'messenger-redis': '128m',
    })
    for (const service of Object.values(services)) {
      expect(service.restart).toBe('unless-stopped')
      expect(service.healthcheck).toBeDefined()
      expect(service.logging.driver).toBe('journald')
    }
  })

  it('opens to the network what is public, and nothing else', () => {
    const ports = Object.values(services).flatMap((service) => service.ports ?? [])
    // Where the same port is meant on both sides, this program gives the parts.
    const written = ports.map((port) =>
      typeof port === 'string' ? port : `${port.published}:${port.target}/${port.protocol ?? 'tcp'}`,
    )
    expect(written.filter((port) => !port.startsWith('127.0.0.1:')).sort()).toEqual([
      '443:443/tcp',
      '443:443/udp',
      '80:80/tcp',
    ])
    const onHost = Object.values(services).filter((service) => service.network_mode === 'host')
    expect(onHost.map((service) => service.container_name)).toEqual(['messenger-coturn'])
  })

  it('does not start without its secrets', () => {
    const project = join(home, 'project')
    const file = join(project, '.env')
    const complete = readFileSync(file, 'utf8')
    writeFileSync(file, complete.replace(/^JWT_SECRET=.*$/m, 'JWT_SECRET='))
    const { code, output } = run(['docker-compose', 'config'], { cwd: project })
    writeFileSync(file, complete)
    expect(code).not.toBe(0)
    expect(output).toContain('JWT_SECRET')
  })
})

describe('the set-up in containers', () => {
  // Docker itself is not here: what it would be told is.
  const setUp = (project: string, domain: string) =>
    run([
      'sh',
      '-euc',
      `root=$1 deploy=$2 domain=$3 external_ip=
      . "$deploy/setup/common.sh"
      install_packages() { :; }
      is_booted() { false; }
      chown() { :; }
      docker() { echo "docker $*"; }
      . "$deploy/setup/containers.sh"`,
      'sh',
      project,
      DEPLOY,
      domain,
    ])

  it('makes secrets once, and starts all of it', () => {
    const project = mkdtempSync(join(home, 'containers-'))
    const first = setUp(project, 'chat.example.org')
    expect(first.code).toBe(0)
    expect(first.output).toContain(`docker compose --project-directory ${project} up --detach --build --wait`)
    const file = join(project, '.env')
    const made = readFileSync(file, 'utf8')
    for (const name of ['POSTGRES_PASSWORD', 'JWT_SECRET', 'TURN_SECRET'])
      expect(made).toMatch(new RegExp(`^${name}=[0-9a-f]{64}$`, 'm'))
    expect(made).toContain('\nSITE_ADDRESS=chat.example.org\n')
    expect(made).toContain('turns:chat.example.org:5349')
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(setUp(project, 'chat.example.org').output).not.toContain('set ')
    expect(readFileSync(file, 'utf8')).toBe(made)
  })
})

describe('settings of the other servers', () => {
  it('are understood by PostgreSQL', async () => {
    const dataDir = await makeDataDir()
    chmodSync(dataDir.path, 0o755)
    const identity = isRoot() ? nobody : undefined
    const log = createLog('error')
    const nativeDir = await nativeFiles(dataDir.path, identity, log)
    const clusterDir = join(dataDir.path, 'postgres')
    await prepareCluster(clusterDir, { dataDir: dataDir.path, nativeDir, identity, log })
    const config = join(home, 'postgres')
    cpSync(join(DEPLOY, 'postgres'), config, { recursive: true })
    chmodSync(home, 0o755)
    const ask = (name: string) => {
      const command = ['bin/postgres', '-D', '/proc/self/cwd', '-c', `config_file=${config}/container.conf`, '-C', name]
      const { stdout, stderr } = Bun.spawnSync([join(nativeDir, String(command[0])), ...command.slice(1)], {
        ...identity,
        cwd: clusterDir,
        env: { LC_ALL: 'C.UTF-8' },
      })
      return stdout.toString().trim() || stderr.toString()
    }
    expect(ask('shared_buffers')).toBe('65536')
    expect(ask('max_connections')).toBe('60')
    expect(ask('synchronous_commit')).toBe('on')
    await dataDir.remove()
  }, 60_000)

  it('are understood by Redis, which throws away before it is full', async () => {
    const redis = await startRedis(['--include', join(DEPLOY, 'redis/redis.conf')])
    try {
      expect(await redis.cli('config', 'get', 'maxmemory-policy')).toContain('volatile-lru')
      expect(await redis.cli('config', 'get', 'maxmemory')).toContain(`${96 * 1024 ** 2}`)
      expect(await redis.cli('config', 'get', 'save')).toBe('save')
    } finally {
      await redis.stop()
    }
  })
})
