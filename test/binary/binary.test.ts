/** The binary alone, on a machine where nothing is installed. */
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { version } from '../../package.json'
import { follow, type Running, untilNoPostgres } from '../commands/process.ts'
import { type Json, register } from '../support/client.ts'
import { type BareMachine, makeBareMachine, type Person } from './bare-machine.ts'
import { built } from './built.ts'

describe('the binary on a bare machine', () => {
  let machine: BareMachine
  const running = new Set<Running>()

  beforeAll(async () => {
    machine = await makeBareMachine(await built())
  }, 120_000)
  afterAll(async () => {
    for (const { process } of running) process.kill('SIGKILL')
    expect(await untilNoPostgres(machine.root)).toBe(0)
    await machine.remove()
  }, 30_000)

  async function run(person: Person, args: string[], settings?: Record<string, string>) {
    const child = machine.messenger(person, await machine.makeFolder(person), args, settings)
    const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
    return { out, err, code: await child.exited }
  }
  function start(person: Person, folder: string): Running {
    const server = follow(machine.messenger(person, folder, [], { PORT: '0', HOST: '127.0.0.1' }))
    running.add(server)
    return server
  }
  async function end(server: Running, signal: NodeJS.Signals) {
    server.process.kill(signal)
    running.delete(server)
    return server.finished
  }

  it('knows its version and explains itself, and leaves nothing behind', async () => {
    for (const person of machine.people) {
      expect(await run(person, ['version'])).toEqual({ out: `messenger ${version}\n`, err: '', code: 0 })
      expect((await run(person, ['--help'])).out).toContain('Usage: messenger')
    }
    for (const name of readdirSync(machine.root).filter((one) => one.startsWith('folder-')))
      expect(readdirSync(join(machine.root, name))).toEqual([])
  })

  it('carries sharp, which makes pictures', async () => {
    for (const person of machine.people) {
      const { out, err, code } = await run(person, ['version', '--verbose'])
      expect({ err, code }).toEqual({ err: '', code: 0 })
      expect(out).toMatch(/^messenger +\S+ \(binary\)$/m)
      expect(out).toMatch(/^sharp +\S+, libvips \S+$/m)
    }
  })

  it('takes settings from the environment alone, whatever lies around', async () => {
    const [person] = machine.people
    const folder = await machine.makeFolder(person as Person)
    await Bun.write(join(machine.root, folder, '.env'), 'PORT=no number\n')
    await Bun.write(join(machine.root, folder, 'bunfig.toml'), 'preload = ["./missing.ts"]\n')
    const child = machine.messenger(person as Person, folder, ['healthcheck'], { PORT: '1' })
    expect(await new Response(child.stdout).text()).toContain('Nothing answers on port 1')
    expect(await child.exited).toBe(1)
  })

  it('serves a conversation, and goes on with it after kill -9, for root and for others', async () => {
    for (const person of machine.people) {
      const folder = await machine.makeFolder(person)
      let server = start(person, folder)
      let url = await server.ready
      const [ann, ben] = [await register(url, '+12025550101', 'ann'), await register(url, '+12025550102', 'ben')]
      const chat = (await ann.get(`/chats/dm/${ben.id}`)).body
      const socket = await ben.socket()
      const sender = await ann.socket()
      for (const content of ['Hello, Ben!', 'Привет', '👋'])
        expect((await sender.ask({ type: 'message', chat_id: chat.id, content })).type).toBe('ack')
      expect((await socket.next('new_message', ({ message }) => message.seq === 3)).message.content).toBe('👋')
      const unpacked = nativeFilesOf(folder)

      await end(server, 'SIGKILL')
      server = start(person, folder)
      url = await server.ready
      const { body } = await ben.at(url).get(`/chats/${chat.id}/messages`)
      expect(body.messages.map(({ content }: { content: string }) => content)).toEqual(['👋', 'Привет', 'Hello, Ben!'])
      expect(nativeFilesOf(folder)).toEqual(unpacked)
      expect(await end(server, 'SIGTERM')).toMatchObject({ code: 0, err: '' })
      expect(await untilNoPostgres(join(machine.root, folder))).toBe(0)
    }
  }, 90_000)

  it('makes a small picture of a photo, for root and for others', async () => {
    for (const person of machine.people) {
      const server = start(person, await machine.makeFolder(person))
      const url = await server.ready
      const [ann, ben] = [await register(url, '+12025550101', 'ann'), await register(url, '+12025550102', 'ben')]
      const chat = (await ann.get(`/chats/dm/${ben.id}`)).body
      const form = new FormData()
      form.set('chat_id', chat.id)
      form.set('file', new Blob([await photo()]), 'photo.png')
      const headers = { authorization: `Bearer ${ann.token}` }
      const sent = await fetch(`${url}/api/v1/messages/upload`, { method: 'POST', headers, body: form })
      const { message, media } = (await sent.json()) as Json
      expect(sent.status).toBe(201)
      expect(media).toMatchObject({ mime_type: 'image/webp', width: 500, height: 250 })
      const seen = await fetch(`${url}/api/v1/media/${message.media_url}`, {
        headers: { authorization: `Bearer ${ben.token}` },
      })
      expect(await sharp(await seen.arrayBuffer()).metadata()).toMatchObject({ format: 'webp', width: 500 })
      await end(server, 'SIGTERM')
    }
  }, 90_000)

  it('carries the web client', async () => {
    const [person] = machine.people
    const server = start(person as Person, await machine.makeFolder(person as Person))
    const url = await server.ready
    const page = await fetch(url)
    expect(page.headers.get('content-security-policy')).toContain("script-src 'self'")
    const scripts = [...(await page.text()).matchAll(/(?:src|href)="(\/assets\/[^"]+\.js)"/g)].map(([, path]) => path)
    expect(scripts.length).toBeGreaterThan(0)
    for (const path of scripts) expect((await (await fetch(`${url}${path}`)).text()).length).toBeGreaterThan(1000)
    await end(server, 'SIGTERM')
  })

  it('documents itself without the internet', async () => {
    const [person] = machine.people
    const server = start(person as Person, await machine.makeFolder(person as Person))
    const url = await server.ready
    expect(await (await fetch(`${url}/swagger`)).text()).toContain('swagger-ui-bundle.js')
    expect((await (await fetch(`${url}/swagger/swagger-ui-bundle.js`)).text()).length).toBeGreaterThan(500_000)
    const document = (await (await fetch(`${url}/swagger/json`)).json()) as { paths: Record<string, unknown> }
    expect(Object.keys(document.paths).length).toBeGreaterThan(30)
    await end(server, 'SIGTERM')
  })

  it('unpacks PostgreSQL once, though two servers start at once', async () => {
    const [person] = machine.people
    const folder = await machine.makeFolder(person as Person)
    const both = [start(person as Person, folder), start(person as Person, folder)]
    const ready = await Promise.allSettled(both.map((server) => server.ready))
    // One database, one server: the other says so.
    expect(ready.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    const loser = ready.findIndex(({ status }) => status === 'rejected')
    expect((await both[loser]?.finished)?.out).toContain('in use by another running server')
    expect(nativeFilesOf(folder)).toHaveLength(1)
    for (const server of both) await end(server, 'SIGTERM')
  }, 60_000)

  /** Directories of PostgreSQL's files, drafts included, as name and inode: in the data directory, else in root's cache. */
  function nativeFilesOf(folder: string): string[] {
    const places = [join(folder, 'data'), 'var/cache/messenger'].map((place) => join(machine.root, place))
    const found = places.map((place) => {
      const names = statSync(place, { throwIfNoEntry: false }) ? readdirSync(place) : []
      return names.filter((name) => name.startsWith('postgres-files-')).map((name) => join(place, name))
    })
    const used = found.find((paths) => paths.length > 0) ?? []
    return used.map((path) => `${path} ${statSync(path).ino}`)
  }
})

const photo = () =>
  sharp({ create: { width: 1600, height: 800, channels: 3, background: 'teal' } })
    .png()
    .toBuffer()
