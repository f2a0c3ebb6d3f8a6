/** A real coturn with the configuration that is shipped, on a port of its own. */
import { Database } from 'bun:sqlite'
import { mkdtemp, rm } from 'node:fs/promises'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './redis.ts'

const CONFIG = join(import.meta.dir, '../../deploy/coturn/turnserver.conf')
/** Of Debian's package. */
const SCHEMA = '/usr/share/coturn/schema.sql'

export interface TestCoturn {
  /** This machine's own address, where it listens and relays. The one special address that its peers may have. */
  address: string
  port: number
  tlsPort: number
  hasIpv6: boolean
  secret: string
  /** For TURN_URLS. */
  urls: string
  log(): string
  stop(): Promise<void>
}

/** The address by which this machine is seen, if only by its neighbours. */
export function ownAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
  const found = all.find(({ family, internal }) => family === 'IPv4' && !internal)
  if (!found) throw new Error('This machine has no address but its loopback: nothing can be relayed')
  return found.address
}

const hasIpv6 = () =>
  Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ family }) => family === 'IPv6'))

/** Signed by itself. */
async function makeCertificate(directory: string): Promise<void> {
  const kind = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  const files = ['-subj', '/CN=coturn', '-keyout', 'key.pem', '-out', 'cert.pem']
  const made = Bun.spawn(['openssl', ...kind, ...files], { cwd: directory, stdout: 'ignore', stderr: 'pipe' })
  if ((await made.exited) !== 0) throw new Error(await new Response(made.stderr).text())
}

/**
 * Its database of users, empty, as its package makes one. Without it the first who come make it, and whoever comes in the
 * same moment finds it locked and is refused.
 */
async function makeUserDatabase(directory: string): Promise<string> {
  const path = join(directory, 'none.db')
  const database = new Database(path)
  database.run(await Bun.file(SCHEMA).text())
  database.close()
  return path
}

export async function startCoturn(): Promise<TestCoturn> {
  const binary = Bun.which('turnserver')
  if (!binary) throw new Error('coturn is not installed: `npm test` installs it')
  const directory = await mkdtemp(join(tmpdir(), 'messenger-coturn-'))
  const [address, port, tlsPort, secret] = [
    ownAddress(),
    freePort(),
    freePort(),
    crypto.randomUUID() + crypto.randomUUID(),
  ]
  const certificate = ['--cert', join(directory, 'cert.pem'), '--pkey', join(directory, 'key.pem')]
  await makeCertificate(directory)
  const users = await makeUserDatabase(directory)
  const ports = [`--listening-port=${port}`, `--tls-listening-port=${tlsPort}`]
  const own = [`--listening-ip=${address}`, ...ports, `--static-auth-secret=${secret}`, ...certificate]
  // Beside the shipped rules: the machine's own address may be a private one, and here both ends are on it.
  const relay = [`--relay-ip=${address}`, `--allowed-peer-ip=${address}`, ...(hasIpv6() ? ['--relay-ip=::1'] : [])]
  const rest = ['--verbose', '--userdb', users, '--pidfile', join(directory, 'pid')]
  const child = Bun.spawn([binary, '-c', CONFIG, ...own, ...relay, ...rest], { stdout: 'pipe', stderr: 'pipe' })
  let log = ''
  const collect = async (stream: ReadableStream<Uint8Array>) => {
    const decoder = new TextDecoder()
    for await (const chunk of stream) log += decoder.decode(chunk, { stream: true })
  }
  const collected = Promise.all([collect(child.stdout), collect(child.stderr)])
  const stop = async () => {
    child.kill('SIGKILL')
    await child.exited
    await collected
    await rm(directory, { recursive: true, force: true })
  }
  for (let i = 0; !log.includes('UDP listener opened') || !log.includes('admin thread'); i++) {
    if (child.exitCode !== null || i > 500) {
      await stop()
      throw new Error(`coturn does not run: ${log}`)
    }
    await Bun.sleep(20)
  }
  const at = `turn:${address}:${port}`
  const urls = `stun:${address}:${port},${at}?transport=udp,${at}?transport=tcp`
  return { address, port, tlsPort, hasIpv6: hasIpv6(), secret, urls, log: () => log, stop }
}
