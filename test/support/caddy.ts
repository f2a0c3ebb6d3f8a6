/** A real Caddy that shares requests out over several servers, in turn. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './redis.ts'

export interface TestCaddy {
  url: string
  pid: number
  stop(): Promise<void>
}

export async function startCaddy(ports: readonly number[]): Promise<TestCaddy> {
  const binary = Bun.which('caddy')
  if (!binary) throw new Error('caddy is not installed: `npm test` installs it')
  const directory = await mkdtemp(join(tmpdir(), 'messenger-caddy-'))
  const port = freePort()
  const config = join(directory, 'Caddyfile')
  const upstreams = ports.map((upstream) => `127.0.0.1:${upstream}`).join(' ')
  await writeFile(
    config,
    `{
	admin off
	auto_https off
}
http://127.0.0.1:${port} {
	bind 127.0.0.1
	reverse_proxy ${upstreams} {
		lb_policy round_robin
	}
}
`,
  )
  const child = Bun.spawn([binary, 'run', '--config', config, '--adapter', 'caddyfile'], {
    stdout: 'ignore',
    stderr: 'pipe',
    env: { HOME: directory, XDG_CONFIG_HOME: directory, XDG_DATA_HOME: directory, PATH: process.env.PATH },
  })
  const errors = new Response(child.stderr).text()
  const url = `http://127.0.0.1:${port}`
  for (let i = 0; ; i++) {
    const isUp = await fetch(`${url}/health`).then(
      (answer) => answer.ok,
      () => false,
    )
    if (isUp) break
    if (child.exitCode !== null || i > 500) throw new Error(`Caddy does not run: ${await errors}`)
    await Bun.sleep(10)
  }
  return {
    url,
    pid: child.pid,
    async stop() {
      child.kill('SIGKILL')
      await child.exited
      await rm(directory, { recursive: true, force: true })
    },
  }
}
