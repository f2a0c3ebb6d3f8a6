/** Whatever stands in a path or a query, the answer is a named failure in one shape. */
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import fc from 'fast-check'
import { type Json, request, type TestUser } from '../support/client.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { expectFailure, fillPath, routes, type Stage, setStage, UNKNOWN_ID } from './inputs.ts'
import { cursorPages, idRoutes, numberedPages, UNKNOWN_CODE } from './urls.ts'

let server: TestServer
let owner: TestUser
let stage: Stage
beforeAll(async () => {
  server = await startServer()
  ;({ owner, stage } = await setStage(server))
})
afterAll(() => server.stop())

const path = (pattern: string) => fillPath(pattern, stage).replace('CODE', UNKNOWN_CODE)

describe('ids in a path', () => {
  const bodyOf = (method: string, of: string) =>
    routes
      .find((route) => route.method === method && route.path.replace(/[A-Z]+/g, ':') === of.replace(/[A-Z]+/g, ':'))
      ?.body(stage)

  it.each(idRoutes)('must be of this server: %s', async (pattern) => {
    const [method = '', of = ''] = pattern.split(' ')
    for (const id of [
      'x',
      '1',
      'null',
      '%00',
      '%ED%A0%80',
      '%',
      `${UNKNOWN_ID}0`,
      `${UNKNOWN_ID}%0a`,
      `${UNKNOWN_CODE}A`,
      `${UNKNOWN_CODE}%0a`,
      "'%20or%201=1",
    ]) {
      const answer = await owner.call(method, path(of).replace(':', id), bodyOf(method, of))
      expectFailure(answer, 400)
    }
  })
})

describe('the query', () => {
  it.each(numberedPages)('takes whole numbers in range: %s', async (of, names, needed) => {
    const ask = (query: string) => owner.get(`${path(of)}?${needed}${query}`)
    for (const name of names) {
      for (const value of ['-1', 'x', '1.5', '1e400', 'NaN', 'null', '99999999999999999999', '%00', '1;2', '[1]']) {
        const answer = await ask(`${name}=${value}`)
        expectFailure(answer, 400)
        expect(Object.keys(answer.body.details)).toEqual([name])
      }
    }
    for (const limit of ['0', '101']) expectFailure(await ask(`limit=${limit}`), 400)
    for (const query of [
      'limit=1&limit=2',
      'limit[]=1',
      'limit=',
      '__proto__=1',
      'constructor=1',
      'unknown=1',
      '&&==',
    ]) {
      const answer = await ask(query)
      if (answer.status !== 200) expectFailure(answer, 400)
    }
    const largest = names.map((name) => ask(`${name}=${name === 'limit' ? 100 : 10_000_000}`))
    for (const { status } of await Promise.all(largest)) expect(status).toBe(200)
  })

  it.each(cursorPages)('takes a cursor of this server alone: %s', async (of, needed) => {
    const instant = `2026-01-01T00:00:00.000Z ${UNKNOWN_ID}`
    for (const cursor of [
      '',
      'x',
      '%00',
      'eyJ9',
      btoa('[1,2]'),
      btoa('{"at":1}'),
      btoa(`-1 ${UNKNOWN_ID}`),
      btoa(`1e9 ${UNKNOWN_ID}`),
      btoa(`2026-02-31T00:00:00.000Z ${UNKNOWN_ID}`),
      btoa(`0000-01-01T00:00:00.000Z ${UNKNOWN_ID}`),
      btoa(instant),
      `e${btoa(instant)}`,
      `f${btoa(`9999999999 ${UNKNOWN_ID}`)}`,
      'x'.repeat(201),
    ]) {
      const answer = await owner.get(`${of}?${needed}cursor=${encodeURIComponent(cursor)}`)
      if (answer.status === 200) continue
      expectFailure(answer, 400)
      expect(Object.keys(answer.body.details)).toEqual(['cursor'])
    }
    expectFailure(await owner.get(`${of}?${needed}cursor=x`), 400)
  })

  it('takes what one searches for as text', async () => {
    for (const q of ['', 'a', '%00%00', 'x'.repeat(256)]) {
      expectFailure(await owner.get(`/users/search?q=${q}`), 400)
    }
    expectFailure(await owner.get('/users/search'), 400)
    for (const q of ['%25%25', '__', '\\\\', "'%20or%20''='", '%2B1', 'ab&q=cd']) {
      const answer = await owner.get(`/users/search?q=${q}`)
      if (answer.status !== 400) expect(answer).toMatchObject({ status: 200, body: { users: [] } })
    }
  })

  it('takes what one searches for in messages as words, never as operators', async () => {
    for (const query of ['', 'q=', 'q=%00', 'q=%20', 'q=!%26', `q=${'x'.repeat(257)}`, 'q=%F0%9F%98%80']) {
      const answer = await owner.get(`/messages/search?${query}`)
      expectFailure(answer, 400)
      expect(Object.keys(answer.body.details)).toEqual(['q'])
    }
    for (const q of [
      'nothing%26',
      '!nothing',
      'nothing:*',
      "nothing'--",
      '(nothing',
      'nothing<->',
      '%22nothing',
      '\\nothing',
    ]) {
      const answer = await owner.get(`/messages/search?q=${q}`)
      expect(answer).toMatchObject({ status: 200, body: { results: [] } })
    }
    for (const chat of ['x', '', 'null', `${stage.chatId}0`, stage.chatId.toUpperCase()]) {
      const answer = await owner.get(`/messages/search?q=first&chat_id=${chat}`)
      expectFailure(answer, 400)
      expect(Object.keys(answer.body.details)).toEqual(['chat_id'])
    }
  })

  it('takes the part of a name of a channel as text', async () => {
    for (const q of ['%00', 'x'.repeat(256)]) {
      const answer = await owner.get(`/channels?q=${q}`)
      expectFailure(answer, 400)
      expect(Object.keys(answer.body.details)).toEqual(['q'])
    }
    // Of a pattern these would be everything.
    for (const q of ['%25', '_', '\\', '%25%25', 'C_annel', "'%20or%20''='"]) {
      expect(await owner.get(`/channels?q=${q}`)).toMatchObject({ status: 200, body: { channels: [] } })
    }
    expect((await owner.get('/channels?q=HANN')).body.channels).toMatchObject([{ id: stage.channelId }])
  })
})

describe('noise', () => {
  it('in a path and a query is answered in the one shape', async () => {
    const places = [
      '/chats/',
      '/users/',
      '/chats/dm/',
      '/invites/',
      '/channels/',
      '/channels?q=',
      '/channels?cursor=',
      '/users/search?q=',
      '/messages/search?q=',
      '/messages/search?q=first&cursor=',
      '/chats?cursor=',
      '/chats?limit=',
    ]
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...places), fc.string({ unit: 'binary', maxLength: 100 }), async (of, text) => {
        const answer = await owner.get(of + encodeURIComponent(text.toWellFormed()))
        if (answer.status >= 400) expectFailure(answer)
      }),
      { numRuns: 300 },
    )
  })
})

describe('these suites', () => {
  interface Operation {
    route: string
    parameters: { name: string; in: string }[]
  }
  const listOperations = async (): Promise<Operation[]> => {
    const { paths } = (await request(`${server.url}/swagger/json`, 'GET')).body
    return Object.entries<Record<string, Json>>(paths).flatMap(([of, methods]) =>
      Object.entries(methods).map(([method, { parameters = [] }]) => ({
        route: `${method.toUpperCase()} ${of.replace('/api/v1', '')}`,
        parameters,
      })),
    )
  }
  const has = (name: string) => (operation: Operation) =>
    operation.parameters.some((parameter) => parameter.in === 'query' && parameter.name === name)
  /** Without what it is called. */
  const blank = (route: string) => route.replace(/\{\w+\}|(?<=\/)(?::|[A-Z]+)(?=\/|$)/g, ':')

  it('have every route with an id in its path', async () => {
    // The path of a file and the name of an avatar are no ids, and HEAD is answered without a body to look at.
    const wanted = (await listOperations())
      .map(({ route }) => route)
      .filter((route) => /^(?!HEAD).*\{(?!file_path|name)/.test(route))
    expect([...new Set(idRoutes.map(blank))].sort()).toEqual(wanted.map(blank).sort())
  })

  it('have every list, with each number of its query', async () => {
    const operations = await listOperations()
    const pages = operations.filter(has('limit')).map(({ route }) => blank(route))
    expect(numberedPages.map(([of]) => blank(`GET ${of}`)).sort()).toEqual(pages.sort())
    for (const name of ['offset', 'before_seq', 'after_seq', 'after_rev']) {
      const listed = numberedPages.filter(([, names]) => names.includes(name)).map(([of]) => blank(`GET ${of}`))
      expect(listed.sort()).toEqual(
        operations
          .filter(has(name))
          .map(({ route }) => blank(route))
          .sort(),
      )
    }
    const withCursor = operations.filter(has('cursor')).map(({ route }) => blank(route))
    expect(cursorPages.map(([of]) => blank(`GET ${of}`)).sort()).toEqual(withCursor.sort())
  })
})

describe('the log', () => {
  it('holds no fault of ours', () => {
    expect(server.logs.filter(({ level }) => level === 'error')).toEqual([])
  })
})
