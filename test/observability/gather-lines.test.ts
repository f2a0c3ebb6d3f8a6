import { describe, expect, it } from 'bun:test'
import { join } from 'node:path'
import { gatherLines } from '../../src/observability/gather-lines.ts'

const nextTurn = () => new Promise<void>((done) => setImmediate(done))

function gather() {
  const writes: string[] = []
  return { writes, ...gatherLines((text) => writes.push(text)) }
}

describe('lines of the log', () => {
  it('of one turn go out in one write, in their order, and those of the next turn in the next', async () => {
    const { writes, write } = gather()
    for (const line of ['1', '2', '3']) write(line, 'info')
    await Promise.resolve().then(() => write('4', 'debug'))
    expect(writes).toEqual([])
    await nextTurn()
    expect(writes).toEqual(['1\n2\n3\n4\n'])
    write('5', 'info')
    await nextTurn()
    expect(writes).toEqual(['1\n2\n3\n4\n', '5\n'])
  })

  it.each(['warn', 'error'] as const)('wait for nothing when one is of level %s', async (level) => {
    const { writes, write } = gather()
    write('before', 'info')
    write('now', level)
    expect(writes).toEqual(['before\nnow\n'])
    write('after', 'info')
    await nextTurn()
    expect(writes).toEqual(['before\nnow\n', 'after\n'])
  })

  it('do not pile up within a long turn', async () => {
    const { writes, write } = gather()
    const line = 'x'.repeat(999)
    for (let n = 0; n < 1000; n++) write(line, 'info')
    expect(Math.max(...writes.map(({ length }) => length))).toBeLessThan(70_000)
    expect(writes.length).toBeGreaterThan(10)
    await nextTurn()
    expect(writes.join('')).toBe(`${line}\n`.repeat(1000))
  })

  it('are written when asked for, once', async () => {
    const { writes, write, flush } = gather()
    write('1', 'info')
    flush()
    flush()
    await nextTurn()
    expect(writes).toEqual(['1\n'])
  })
})

/** Runs code in a process whose log goes to its standard output, as the server's does. */
async function outputOf(code: string): Promise<string> {
  const source = join(import.meta.dir, '../../src/observability')
  const script = `
    import { createLog } from '${source}/log.ts'
    import { gatherLines } from '${source}/gather-lines.ts'
    const lines = gatherLines((text) => void process.stdout.write(text))
    process.on('exit', lines.flush)
    const log = createLog('info', lines.write)
    const say = (times) => { for (let n = 0; n < times; n++) log.info('line', { n }) }
    await Bun.sleep(1)
    ${code}`
  const child = Bun.spawn([process.execPath, '-e', script], { stdout: 'pipe', stderr: 'ignore' })
  return await new Response(child.stdout).text()
}

describe('of a process that ends, no line is lost:', () => {
  it.each([
    ['by process.exit', 'say(5); process.exit(3)'],
    ['by something that nobody catches', 'say(5); throw new Error("thrown")'],
    ['by a rejection that nobody catches', 'say(5); void Promise.reject(new Error("rejected"))'],
    ['by having nothing more to do', 'say(5)'],
    ['killed after an error', 'say(4); log.error("line", { n: 4 }); process.kill(process.pid, "SIGKILL")'],
  ])('%s', async (_, code) => {
    const lines = (await outputOf(code)).trimEnd().split('\n')
    expect(lines.map((line) => (JSON.parse(line) as { n: number }).n)).toEqual([0, 1, 2, 3, 4])
  })
})
