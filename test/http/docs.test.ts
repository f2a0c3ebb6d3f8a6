import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { type Json, request } from '../support/client.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
let spec: Json
beforeAll(async () => {
  server = await startServer()
  spec = (await request(`${server.url}/swagger/json`, 'GET')).body
})
afterAll(() => server.stop())

interface Operation {
  name: string
  method: string
  path: string
  /** What OpenAPI calls an operation. */
  is: Json
}

const operations = (): Operation[] =>
  Object.entries(spec.paths as Record<string, Record<string, Json>>).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, is]) => ({ name: `${method.toUpperCase()} ${path}`, method, path, is })),
  )
const listNames = (isFaulty: (operation: Operation) => boolean) =>
  operations()
    .filter(isFaulty)
    .map(({ name }) => name)

/** Every object within a JSON value. */
function* walk(value: Json): Generator<Record<string, Json>> {
  if (typeof value !== 'object' || value === null) return
  if (!Array.isArray(value)) yield value
  for (const inner of Object.values(value)) yield* walk(inner)
}

describe('the page', () => {
  const assets: [string, string][] = [
    ['/swagger', 'text/html; charset=utf-8'],
    ['/swagger/start.js', 'text/javascript; charset=utf-8'],
    ['/swagger/swagger-ui-bundle.js', 'text/javascript; charset=utf-8'],
    ['/swagger/swagger-ui.css', 'text/css; charset=utf-8'],
    ['/swagger/favicon.png', 'image/png'],
    ['/swagger/json', 'application/json'],
  ]
  it.each(assets)('has all of itself from this server: %s', async (path, type) => {
    const answer = await fetch(`${server.url}${path}`)
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toStartWith(type)
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
    expect((await answer.arrayBuffer()).byteLength).toBeGreaterThan(50)
  })

  it('loads only what is in that list', async () => {
    const page = await (await fetch(`${server.url}/swagger`)).text()
    const loaded = [...page.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, path]) => path)
    expect(loaded.length).toBeGreaterThan(2)
    expect(loaded.filter((path) => !assets.some(([known]) => known === path))).toEqual([])
    const start = await (await fetch(`${server.url}/swagger/start.js`)).text()
    expect(`${page}${start}`).not.toMatch(/https?:\/\//)
    expect(`${page}${start}`).not.toMatch(/["'(]\/\//)
  })

  it('may load nothing from elsewhere', async () => {
    const { headers } = await fetch(`${server.url}/swagger`)
    const policy = headers.get('content-security-policy') ?? ''
    expect(policy).toContain("default-src 'none'")
    expect(policy).not.toMatch(/https?:|\*/)
  })

  it('is the only one', async () => {
    const answer = await fetch(`${server.url}/swagger/plugin`)
    expect(await answer.text()).not.toMatch(/<script|https?:\/\//)
    expect(answer.status).toBe(404)
  })
})

describe('the document', () => {
  it('is OpenAPI 3 with a title and a version', () => {
    expect(spec.openapi).toMatch(/^3\.(0|1)\.\d+$/)
    expect(spec.info).toMatchObject({ title: 'messenger', version: expect.any(String) })
    expect(spec.components.securitySchemes.bearer).toEqual({ type: 'http', scheme: 'bearer', bearerFormat: 'JWT' })
  })

  it('has only types that JSON Schema knows', () => {
    const known = ['object', 'array', 'string', 'number', 'integer', 'boolean', 'null', 'http']
    const types = new Set([...walk(spec)].flatMap(({ type }) => (typeof type === 'string' ? [type] : [])))
    expect([...types].filter((type) => !known.includes(type))).toEqual([])
  })

  it('has parameters in the form of the standard', () => {
    const faulty = operations().flatMap(({ name, is }) =>
      (is.parameters ?? []).flatMap((parameter: Json) =>
        parameter.name && parameter.in && parameter.schema && !Array.isArray(parameter.examples)
          ? []
          : [`${name} ${parameter.name}`],
      ),
    )
    expect(faulty).toEqual([])
  })

  it('names every part of a path as a parameter', () => {
    const faulty = listNames(({ path, is }) => {
      const wanted = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
      const given = (is.parameters ?? []).filter((one: Json) => one.in === 'path').map((one: Json) => one.name)
      return wanted.join() !== given.join()
    })
    expect(faulty).toEqual([])
  })

  it('speaks JSON alone', () => {
    const contents = [...walk(spec.paths)].flatMap(({ content }) => (content?.schema ? [] : content ? [content] : []))
    const types = new Set(contents.flatMap((content) => (content.type ? [] : Object.keys(content))))
    expect([...types]).toEqual(['application/json'])
  })
})

describe('every route', () => {
  it('has one id, a known tag, a summary', () => {
    const ids = operations().map(({ is }) => is.operationId)
    expect(new Set(ids).size).toBe(ids.length)
    const tags = spec.tags.map(({ name }: Json) => name)
    expect(listNames(({ is }) => is.tags?.length !== 1 || !tags.includes(is.tags[0]))).toEqual([])
    expect(listNames(({ is }) => !is.summary)).toEqual([])
    for (const tag of tags) expect(operations().filter(({ is }) => is.tags[0] === tag)).not.toEqual([])
  })

  const isPublic = ({ path }: Operation) => /\/(health|ws)|\/auth\/(register|login|refresh)$/.test(path)
  it('says whether it wants a token', () => {
    expect(listNames((one) => isPublic(one) === Boolean(one.is.security?.length))).toEqual([])
    for (const one of operations()) if (!isPublic(one)) expect(one.is.security).toEqual([{ bearer: [] }])
  })

  const lacks = (status: number, isWanted: (operation: Operation) => boolean) =>
    listNames((one) => isWanted(one) && one.is.responses?.[status] === undefined)
  const isApi = ({ path }: Operation) => path.startsWith('/api/') && !path.endsWith('/ws')

  it('names what it answers', () => {
    expect(listNames(({ path, is }) => !path.endsWith('/ws') && !is.responses?.[200] && !is.responses?.[201])).toEqual(
      [],
    )
    expect(lacks(401, (one) => isApi(one) && !isPublic(one))).toEqual([])
    expect(lacks(429, isApi)).toEqual([])
    expect(lacks(503, isApi)).toEqual([])
    expect(lacks(500, isApi)).toEqual([])
    expect(lacks(400, ({ is }) => Boolean(is.requestBody || is.parameters?.length))).toEqual([])
    expect(lacks(413, ({ is }) => Boolean(is.requestBody))).toEqual([])
    expect(lacks(415, ({ is }) => Boolean(is.requestBody))).toEqual([])
    expect(lacks(404, ({ path }) => /\{(chat_id|user_id|message_id|id)\}/.test(path))).toEqual([])
    expect(lacks(101, ({ path }) => path.endsWith('/ws'))).toEqual([])
  })

  it('tells its failures in the one shape', () => {
    for (const { path, is } of operations().filter(isApi)) {
      for (const [status, response] of Object.entries<Json>(is.responses)) {
        if (Number(status) < 400) continue
        const { schema } = response.content['application/json']
        expect({ path, status, required: schema.required }).toEqual({ path, status, required: ['error', 'details'] })
      }
    }
  })

  it('describes its answers', () => {
    const faulty = operations().flatMap(({ name, is }) =>
      Object.entries<Json>(is.responses).flatMap(([status, { description }]) =>
        typeof description === 'string' && description !== '' ? [] : [`${name} ${status}`],
      ),
    )
    expect(faulty).toEqual([])
  })

  it('has a path as a client writes it', () => {
    expect(listNames(({ path }) => path.endsWith('/'))).toEqual([])
  })
})
