/**
 * A machine in a box: a minimal Debian made by debootstrap, booted with its own systemd and its own network by
 * systemd-nspawn. It has no way out, so what apt is to install is fetched beforehand. Needs root.
 */
import { chmod, cp, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const ROOT = join(import.meta.dir, '../..')
/** Another mirror than debootstrap's own. */
const MIRROR = process.env.DEBIAN_MIRROR ? [process.env.DEBIAN_MIRROR] : []
const SUITE = 'bookworm'
const BASE = 'systemd,systemd-sysv,dbus,iproute2,procps,ca-certificates'
/** What setup.sh installs there. */
const PACKAGES = ['postgresql', 'redis-server', 'caddy', 'coturn', 'ffmpeg', 'ufw', 'ca-certificates']
const ENVIRONMENT = {
  PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
  TERM: 'dumb',
  DEBIAN_FRONTEND: 'noninteractive',
}
/** An address that a relay may offer; loopback alone won't do. */
const ADDRESS = '198.51.100.7'

const NSPAWN = (root: string) => [
  ...['systemd-nspawn', '--quiet', '--register=no', '--keep-unit', '--private-network'],
  ...[`--directory=${root}`, '--boot'],
]
const QUIET = { stdin: 'ignore', stdout: 'ignore', stderr: 'ignore' } as const

export interface Finished {
  code: number
  output: string
}

export interface Box {
  boot(): Promise<void>
  /** Runs a command inside. */
  run(...command: string[]): Promise<Finished>
  /** Runs a command of this machine in the network of the box. */
  runBeside(...command: string[]): Promise<Finished>
  shutDown(): Promise<void>
  remove(): Promise<void>
}

async function execute(command: string[], env: Record<string, string | undefined> = process.env): Promise<Finished> {
  const child = Bun.spawn(command, { env, stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' })
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  return { code: await child.exited, output: out + err }
}

async function must(...command: string[]): Promise<string> {
  const { code, output } = await execute(command)
  if (code !== 0) throw new Error(`${command.join(' ')} failed:\n${output}`)
  return output
}

/** @param binary goes into `dist/` of the checkout in the box, /usr/src/messenger */
export async function makeBox(binary: string, say: (line: string) => void): Promise<Box> {
  const root = await mkdtemp(join(tmpdir(), 'messenger-box-'))
  // It becomes a `/`, which everybody may enter.
  await chmod(root, 0o755)
  say(`making a minimal Debian in ${root}`)
  await must('debootstrap', '--variant=minbase', `--include=${BASE}`, SUITE, root, ...MIRROR)
  await cp('/etc/resolv.conf', join(root, 'etc/resolv.conf'))
  say(`fetching ${PACKAGES.join(' ')}`)
  await must('chroot', root, 'apt-get', 'update', '-qq')
  await must(
    'chroot',
    root,
    'apt-get',
    'install',
    '-y',
    '-qq',
    '--download-only',
    '--no-install-recommends',
    ...PACKAGES,
  )
  const checkout = join(root, 'usr/src/messenger')
  await mkdir(join(checkout, 'dist'), { recursive: true })
  for (const name of ['deploy', 'src', 'drizzle', 'package.json', 'bun.lock', 'README.md', 'Caddyfile', 'compose.yaml'])
    await cp(join(ROOT, name), join(checkout, name), { recursive: true })
  await cp(binary, join(checkout, 'dist/messenger-linux-x64'))

  let nspawn: Bun.Subprocess | undefined
  let leader = ''
  const enter = (...flags: string[]) => ['nsenter', '-t', leader, ...flags]

  async function boot(): Promise<void> {
    for (let i = 0; i < 300; i++) {
      // Right after a shutdown the directory may still be taken.
      if (nspawn === undefined || nspawn.exitCode !== null) nspawn = Bun.spawn(NSPAWN(root), QUIET)
      leader = (await execute(['pgrep', '-P', `${nspawn.pid}`])).output.trim().split('\n')[0] ?? ''
      if (leader !== '' && (await run('systemctl', 'is-system-running')).output.match(/running|degraded/)) break
      await Bun.sleep(200)
    }
    const network = `ip tuntap add dev tun0 mode tun && ip addr add ${ADDRESS}/24 dev tun0 && ip link set tun0 up`
    const { code, output } = await run('sh', '-c', network)
    if (code !== 0) throw new Error(`The box did not boot: ${output}`)
  }
  const run = (...command: string[]) =>
    execute([...enter('-m', '-u', '-i', '-n', '-p', '-C', '-r', '-w'), ...command], ENVIRONMENT)
  async function shutDown(): Promise<void> {
    nspawn?.kill('SIGTERM')
    await nspawn?.exited
  }
  return {
    boot,
    run,
    runBeside: (...command) => execute([...enter('-n'), ...command]),
    shutDown,
    async remove() {
      await shutDown()
      await rm(root, { recursive: true, force: true })
    },
  }
}
