import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { FRAME_TYPES } from '../../src/realtime/frames.ts'
import { closeCodes } from '../../src/realtime/socket.ts'
import { rows } from '../access/table.ts'
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

  it('speaks JSON, and takes and gives files', () => {
    const contents = [...walk(spec.paths)].flatMap(({ content }) => (content?.schema ? [] : content ? [content] : []))
    const types = new Set(contents.flatMap((content) => (content.type ? [] : Object.keys(content))))
    expect([...types].sort()).toEqual([
      '*/*',
      'application/json',
      'application/offset+octet-stream',
      'multipart/form-data',
    ])
    const takesFiles = listNames(({ is }) => is.requestBody && !is.requestBody.content['application/json'])
    expect(takesFiles).toEqual(['POST /api/v1/messages/upload', 'PATCH /api/v1/uploads/{id}'])
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

  const isPublic = ({ path }: Operation) => /\/(health|ws|avatars)|\/auth\/(register|login|refresh)$/.test(path)
  const isFile = ({ path }: Operation) => /^\/api\/v1\/(media|avatars)\/\{/.test(path)
  it('says whether it wants a token', () => {
    expect(listNames((one) => isPublic(one) === Boolean(one.is.security?.length))).toEqual([])
    // A file is opened by a link too.
    const expected = (one: Operation) => (isFile(one) ? [{ bearer: [] }, {}] : [{ bearer: [] }])
    for (const one of operations()) if (!isPublic(one)) expect(one.is.security).toEqual(expected(one))
  })

  const lacks = (status: number, isWanted: (operation: Operation) => boolean) =>
    listNames((one) => isWanted(one) && one.is.responses?.[status] === undefined)
  const isApi = ({ path }: Operation) => path.startsWith('/api/') && !path.endsWith('/ws')

  it('names what it answers', () => {
    expect(
      listNames(({ path, is }) => !path.endsWith('/ws') && ![200, 201, 204].some((done) => is.responses?.[done])),
    ).toEqual([])
    expect(lacks(401, (one) => isApi(one) && !isPublic(one))).toEqual([])
    expect(lacks(429, (one) => isApi(one) && !isFile(one))).toEqual([])
    expect(lacks(503, isApi)).toEqual([])
    expect(lacks(500, isApi)).toEqual([])
    expect(lacks(400, ({ is }) => Boolean(is.requestBody || is.parameters?.length))).toEqual([])
    expect(lacks(413, ({ is }) => Boolean(is.requestBody))).toEqual([])
    expect(lacks(415, ({ is }) => Boolean(is.requestBody))).toEqual([])
    // The length of an upload in pieces is announced before any of it comes.
    const announces = ({ name }: Operation) => name === 'POST /api/v1/uploads'
    const hasNoBody = (one: Operation) => !one.is.requestBody && !announces(one)
    expect(listNames((one) => hasNoBody(one) && (one.is.responses[413] || one.is.responses[415]))).toEqual([])
    expect(lacks(404, ({ path }) => /\{\w+\}/.test(path))).toEqual([])
    expect(lacks(101, ({ path }) => path.endsWith('/ws'))).toEqual([])
  })

  it('names every status that anybody is answered', () => {
    const known = new Map(operations().map(({ name, is }) => [name, is.responses]))
    const asked = rows.flatMap(({ route, answers }) => {
      const name = route.replace(/(?<=.)\/$/, '').replace(/:(\w+)/g, '{$1}')
      return Object.values(answers).map(({ status }) => ({ name, status }))
    })
    const documented = asked.filter(({ name }) => known.has(name))
    expect(new Set(documented.map(({ name }) => name)).size).toBe(known.size)
    const missing = documented.filter(({ name, status }) => known.get(name)?.[status] === undefined)
    expect([...new Set(missing.map(({ name, status }) => `${name} ${status}`))]).toEqual([])
  })

  it('says which body may be missing', () => {
    const bodies = operations().filter(({ is }) => is.requestBody)
    const optional = bodies.filter(({ is }) => !is.requestBody.required).map(({ name }) => name)
    expect(optional.sort()).toEqual(['POST /api/v1/chats/{chat_id}/invites', 'POST /api/v1/chats/{chat_id}/read'])
    expect(bodies.length).toBeGreaterThan(optional.length)
  })

  it('shows what a failure looks like', () => {
    for (const { path, is } of operations().filter(isApi)) {
      for (const [status, response] of Object.entries<Json>(is.responses)) {
        if (Number(status) < 400) continue
        const { example } = response.content['application/json']
        const fits = { error: expect.any(String), details: expect.any(Object) }
        expect({ path, status, example }).toEqual({ path, status, example: fits })
      }
    }
  })

  it('fills in what has to be there, and nothing that may be left out', () => {
    const parameters = operations().flatMap(({ name, is }) =>
      (is.parameters ?? []).map((parameter: Json) => ({ name: `${name} ${parameter.name}`, ...parameter, of: name })),
    )
    const isFilled = ({ example }: Json) => example !== undefined
    expect(parameters.filter((one) => isFilled(one) !== one.required).map(({ name }) => name)).toEqual([])
    const [key] = parameters.filter((one) => one.name.endsWith('idempotency-key'))
    expect(key.schema.examples).toEqual([expect.any(String)])
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

describe('the WebSocket', () => {
  /** The first cells of the table under a heading. */
  const cellsUnder = (heading: string): string => {
    const text: string = spec.paths['/ws'].get.description
    const [, rest = ''] = text.split(`### ${heading}\n`)
    const [section = ''] = rest.split('\n### ')
    return section
      .split('\n')
      .filter((line) => line.startsWith('| `'))
      .map((line) => line.split(' | ')[0])
      .join('\n')
  }
  const typesIn = (text: string) => [...text.matchAll(/"type": "(\w+)"/g)].map(([, type]) => type)

  it('is told in the same words at both of its addresses', () => {
    expect(spec.paths['/api/v1/ws'].get.description).toBe(spec.paths['/ws'].get.description)
  })

  it('tells of every frame that may be sent, once', () => {
    expect(typesIn(cellsUnder('You send')).sort()).toEqual([...FRAME_TYPES].sort())
  })

  it('tells of every event, once', async () => {
    const root = `${import.meta.dir}/../../src`
    const files = ['bus/events.ts', ...new Bun.Glob('realtime/*.ts').scanSync(root)]
    const sources = await Promise.all(files.map((file) => Bun.file(`${root}/${file}`).text()))
    const sent = [...sources.join('\n').matchAll(/\btype"?: ?['"](\w+)['"]/g)].map(([, type]) => type)
    const events = new Set(sent.filter((type) => type !== 'ack' && type !== 'error'))
    expect(events.size).toBeGreaterThan(10)
    expect(typesIn(cellsUnder('You get')).sort()).toEqual([...events].sort())
  })

  it('tells of every code that the server closes with', async () => {
    const [, codes = ''] = String(spec.paths['/ws'].get.description).split('### Close codes')
    for (const code of Object.values(closeCodes)) expect(codes).toContain(String(code))
  })
})
