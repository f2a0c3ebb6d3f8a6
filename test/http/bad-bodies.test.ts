/** Whatever comes, the answer is a named failure in one shape: never a fault of ours, never a half-done change. */
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import fc from 'fast-check'
import { type Json, request, type TestUser } from '../support/client.ts'
import { readHead, startServer, type TestServer } from '../support/server.ts'
import { type BodyRoute, expectFailure, fillPath, routes, type Stage, setStage, UNKNOWN_ID } from './inputs.ts'
import { rawRequest } from './raw.ts'

let server: TestServer
let owner: TestUser
let stage: Stage
beforeAll(async () => {
  server = await startServer()
  ;({ owner, stage } = await setStage(server))
})
afterAll(() => server.stop())

const path = (pattern: string) => fillPath(pattern, stage)
const named = routes.map((route): [string, BodyRoute] => [`${route.method} ${route.path}`, route])

const send = (route: Pick<BodyRoute, 'method' | 'path'>, body?: unknown, headers?: Record<string, string>) =>
  request(`${server.url}/api/v1${path(route.path)}`, route.method, owner.token, body, headers)

/** What must stay as it was. */
const state = async () => {
  const { body } = await owner.get(`/chats/${stage.chatId}`)
  const { body: members } = await owner.get(`/chats/${stage.chatId}/members`)
  const { body: channel } = await owner.get(`/channels/${stage.channelId}`)
  const roles = members.members.map((one: Json) => [one.user.id, one.role])
  return {
    name: body.name,
    owner: body.owner_id,
    count: body.member_count,
    head: await readHead(server, stage.chatId),
    roles,
    channel,
  }
}

/** What there is one more of after each body that works. */
const countMade = async () => {
  const [chats, invites, payments] = await Promise.all(
    ['/chats?limit=100', `/chats/${stage.chatId}/invites`, '/subscriptions/payments?limit=100'].map((of) =>
      owner.get(of),
    ),
  )
  return {
    chats: chats?.body.chats.length,
    invites: invites?.body.invites.length,
    payments: payments?.body.payments.length,
  }
}

describe.each(named)('%s', (_, route) => {
  it('refuses a body that is no object', async () => {
    const before = await state()
    for (const body of ['[]', 'null', '5', '"x"', 'true', `[${JSON.stringify(route.body(stage))}]`, undefined]) {
      const answer = await send(route, body)
      const isFine = route.required.length === 0 && (body === undefined || body === 'null')
      if (!isFine || answer.status >= 400) expectFailure(answer, 400)
    }
    expect(await state()).toEqual(before)
  })

  it('refuses what is no JSON', async () => {
    const valid = JSON.stringify(route.body(stage))
    for (const body of [
      '{',
      `${valid}}`,
      "{'a': 1}",
      'undefined',
      'NaN',
      '{"a":01}',
      `${valid.slice(0, -1)},}`,
      '\0',
    ]) {
      const answer = await send(route, body)
      expectFailure(answer, 400)
      expect(answer.body).toEqual({ error: 'Malformed JSON', details: {} })
    }
  })

  it('takes JSON alone', async () => {
    const valid = JSON.stringify(route.body(stage))
    const types = [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'text/json',
      '',
    ]
    for (const type of [...types, 'application/octet-stream', 'application/jsonp']) {
      const answer = await send(route, valid, { 'content-type': type })
      expectFailure(answer, 415)
      expect(answer.body).toEqual({ error: 'Send application/json', details: {} })
    }
  })

  it('names each field that is missing', async () => {
    const before = await state()
    const answer = await send(route, {})
    if (route.required.length > 0) {
      expectFailure(answer, 400)
      expect(Object.keys(answer.body.details)).toEqual(expect.arrayContaining(route.required))
    }
    for (const name of route.required) {
      const { [name]: _, ...rest } = route.body(stage)
      expectFailure(await send(route, rest), 400)
    }
    expect(await state()).toEqual(before)
  })

  it('names the field that is wrong', async () => {
    const before = { ...(await state()), made: await countMade() }
    for (const [name, values] of Object.entries(route.faulty)) {
      for (const value of values) {
        const answer = await send(route, { ...route.body(stage), [name]: value })
        expectFailure(answer, 400)
        const names = Object.keys(answer.body.details).map((key) => key.split('.')[0])
        const given = JSON.stringify(value).slice(0, 100)
        expect({ given, names: [...new Set(names)] }).toEqual({ given, names: [name] })
      }
    }
    expect({ ...(await state()), made: await countMade() }).toEqual(before)
  })

  it('refuses a body above its limit, announced or not', async () => {
    const takesAvatar = ['PATCH /users/me', 'PATCH /chats/CHAT', 'PATCH /channels/CHANNEL'].includes(
      `${route.method} ${route.path}`,
    )
    const max_bytes = takesAvatar ? 8 * 1024 * 1024 : 65_536
    const body = JSON.stringify({ ...route.body(stage), padding: 'x'.repeat(max_bytes + 1024) })
    const tooLarge = { error: `The body is larger than ${max_bytes} bytes`, details: { max_bytes } }
    const announced = await send(route, body)
    expectFailure(announced, 413)
    expect(announced.body).toEqual(tooLarge)
    const headers = {
      authorization: `Bearer ${owner.token}`,
      'content-type': 'application/json',
      'transfer-encoding': 'chunked',
    }
    const rest = { chunk: Buffer.alloc(64 * 1024, 'x'), times: max_bytes / (64 * 1024) + 1 }
    const first = `${(rest.chunk.length * rest.times).toString(16)}\r\n`
    const full = `/api/v1${path(route.path)}`
    const chunked = await rawRequest(server.url, { method: route.method, path: full, headers, body: first, rest })
    expect(chunked.status).toBe(413)
    expect(JSON.parse(chunked.body)).toEqual(tooLarge)
  })

  it('is not impressed by prototypes, depth and doubles', async () => {
    const before = await state()
    const rest = JSON.stringify(route.body(stage)).slice(1)
    const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`
    for (const body of [
      `{"__proto__":{"role":"owner","seq":-1,"content":5},${rest}`,
      `{"__proto__":null,${rest}`,
      `{"constructor":{"prototype":{"polluted":1}},${rest}`,
      `{"toString":1,"hasOwnProperty":1,${rest}`,
      `{"deep":${deep},${rest}`,
      deep,
    ]) {
      const answer = await send(route, body.replace(',}', '}'))
      expect(answer.status).toBeLessThan(500)
      if (answer.status >= 400) expectFailure(answer)
    }
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
    for (const name of route.required) {
      const first = JSON.stringify({ ...route.body(stage) }).slice(0, -1)
      // The last of two counts.
      expectFailure(await send(route, `${first},"${name}":{"x":null}}`), 400)
      const { [name]: value, ...others } = route.body(stage)
      expectFailure(
        await send(
          route,
          `{"__proto__":${JSON.stringify({ [name]: value })},${JSON.stringify(others).slice(1)}`.replace(',}', '}'),
        ),
        400,
      )
    }
    const after = await state()
    expect({ ...after, head: before.head }).toEqual(before)
  })
})

describe('a stranger', () => {
  it.each(named.filter(([, { path }]) => !/register|login|refresh/.test(path)))(
    'is told nothing of what is wrong: %s',
    async (_, { method, path: of, body }) => {
      const told = { error: 'Missing or invalid access token', details: {} }
      const url = `${server.url}/api/v1${path(of)}`
      const bodies = [
        '{',
        '[]',
        '{}',
        JSON.stringify(body(stage)),
        JSON.stringify({ x: 'x'.repeat(66_000) }),
        undefined,
      ]
      for (const token of [undefined, 'x', `${owner.token}x`]) {
        for (const sent of bodies) {
          const answer = await request(url, method, token, sent)
          expectFailure(answer, 401)
          expect(answer.body).toEqual(told)
        }
        const odd = await request(url.replace(/[0-9a-f-]{36}/g, 'x'), method, token, '<x>', {
          'content-type': 'text/xml',
        })
        expectFailure(odd, 401)
      }
    },
  )
})

describe('noise', () => {
  const value = fc.oneof(
    fc.jsonValue({ maxDepth: 3 }),
    fc.constantFrom(null, '', UNKNOWN_ID, '\0', '\ud800', -1, 2 ** 53, 'group', 'owner', [UNKNOWN_ID], {}),
  )
  const fields = [...new Set(routes.flatMap(({ faulty }) => Object.keys(faulty)))]
  const body = fc.dictionary(fc.constantFrom(...fields, '__proto__', 'extra'), value)
  const slow = ['/auth/register', '/auth/login', '/users/me/password']

  it('of any shape is answered in the one shape', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...routes), fc.oneof(body, value), async (route, sent) => {
        if (slow.includes(route.path) && typeof (sent as Json)?.password === 'string') return
        const answer = await send(route, JSON.stringify(sent) ?? 'null')
        expect(answer.status).toBeLessThan(500)
        if (answer.status >= 400) expectFailure(answer)
      }),
      { numRuns: 200 },
    )
  })

  it('of bytes is answered in the one shape', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...routes),
        fc.string({ unit: 'binary', maxLength: 300 }),
        async (route, sent) => {
          const answer = await send(route, sent)
          if (answer.status >= 400) expectFailure(answer)
          else expect(route.required).toEqual([])
        },
      ),
      { numRuns: 200 },
    )
  })
})

describe('this suite', () => {
  it('has every route that takes a JSON body', async () => {
    const { paths } = (await request(`${server.url}/swagger/json`, 'GET')).body
    const documented = Object.entries<Record<string, Json>>(paths).flatMap(([of, methods]) =>
      Object.entries(methods)
        .filter(([, { requestBody }]) => requestBody?.content['application/json'])
        .map(([method]) => `${method.toUpperCase()} ${of.replace('/api/v1', '').replace(/\{\w+\}/g, ':')}`),
    )
    const listed = routes.map(({ method, path: of }) => `${method} ${of.replace(/[A-Z]+/g, ':')}`)
    expect(listed.sort()).toEqual(documented.sort())
  })
})

describe('the log', () => {
  it('holds no fault of ours', () => {
    expect(server.logs.filter(({ level }) => level === 'error')).toEqual([])
  })
})
