/** The command line: what is understood, what is not, and what the exit code says. */
import { describe, expect, it } from 'bun:test'
import { version } from '../../package.json'
import { createDatabase } from '../support/postgres.ts'
import { TEST_SECRET } from '../support/server.ts'
import { makeDataDir, run } from './process.ts'

describe('the command line', () => {
  for (const spelling of ['--help', '-h', 'help']) {
    it(`explains itself on ${spelling}`, async () => {
      const { code, out, err } = await run([spelling])
      expect({ code, err }).toEqual({ code: 0, err: '' })
      for (const command of ['serve', 'migrate', 'healthcheck', 'cleanup-media', 'user', 'seed-demo', 'version'])
        expect(out).toContain(`  ${command} `)
      expect(out).toContain('Exit codes')
    })
  }

  for (const spelling of ['version', '--version']) {
    it(`names its version on ${spelling}`, async () => {
      expect(await run([spelling])).toEqual({ code: 0, out: `messenger ${version}\n`, err: '' })
    })
  }

  it('names every part on version --verbose, and uses them', async () => {
    const { code, out } = await run(['version', '--verbose'])
    expect(code).toBe(0)
    for (const line of [/^messenger +\S+ \(from source\)$/m, /^PostgreSQL +16\./m, /^sharp +\S+, libvips \S+$/m])
      expect(out).toMatch(line)
  })

  it('refuses an unknown command with the help, on stderr', async () => {
    const { code, out, err } = await run(['frobnicate'])
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toStartWith('Unknown command: frobnicate\n')
    expect(err).toContain('Usage: messenger')
  })

  it('explains `user` without a database', async () => {
    const { path, remove } = await makeDataDir()
    const { code, out } = await run(['user', '--help'], { DATA_DIR: path })
    expect(code).toBe(0)
    expect(out).toContain('Usage: messenger user')
    await remove()
  })
})

describe('wrong settings', () => {
  it('stop the start with every fault at once on stderr', async () => {
    const { code, out, err } = await run([], {
      PORT: '99999',
      RATE_LIMITS: 'perhaps',
      JWT_SECRET: 'short',
      CORS_ORIGINS: 'example.org',
      DATABASE_URL: 'mysql://x',
    })
    expect({ code, out }).toEqual({ code: 2, out: '' })
    const lines = err.trimEnd().split('\n')
    expect(lines).toHaveLength(6)
    for (const name of ['PORT', 'RATE_LIMITS', 'JWT_SECRET', 'CORS_ORIGINS', 'DATABASE_URL'])
      expect(lines.filter((line) => line.startsWith(`  ${name} `))).toHaveLength(1)
    // A secret is not repeated where it may be logged.
    expect(err).not.toContain('short')
  })

  it('include DATABASE_URL without JWT_SECRET', async () => {
    const { code, err } = await run([], { DATABASE_URL: 'postgres://localhost/x' })
    expect(code).toBe(2)
    expect(err).toContain('JWT_SECRET must be set when DATABASE_URL is')
  })

  for (const command of ['migrate', 'healthcheck', 'cleanup-media', 'user', 'seed-demo']) {
    it(`stop ${command} as well`, async () => {
      expect((await run([command], { PORT: 'x' })).code).toBe(2)
    })
  }
})

describe('migrate', () => {
  it('brings a database up to date, and then finds nothing to do', async () => {
    const settings = { DATABASE_URL: await createDatabase(), JWT_SECRET: TEST_SECRET }
    const first = await run(['migrate'], settings)
    expect(first.code).toBe(0)
    expect(first.out).toMatch(/^Migrated: 0000_first/)
    expect(await run(['migrate'], settings)).toMatchObject({ code: 0, out: 'The database is up to date\n' })
  })

  it('fails in one clear line when the database is not there', async () => {
    const { code, out, err } = await run(['migrate'], {
      DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none',
      JWT_SECRET: TEST_SECRET,
    })
    expect({ code, out }).toEqual({ code: 1, out: '' })
    expect(err.trimEnd().split('\n')).toHaveLength(1)
    expect(JSON.parse(err)).toMatchObject({ level: 'error', message: 'messenger cannot run' })
  })
})

describe('healthcheck', () => {
  it('fails when nobody answers', async () => {
    const { code, out } = await run(['healthcheck'], { PORT: '1' })
    expect(code).toBe(1)
    expect(out).toContain('Nothing answers on port 1')
  })
})
