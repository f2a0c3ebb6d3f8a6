/** What Elysia makes of an answer by its schema, through its patched mirror (`deploy/patches`). */
import { describe, expect, it } from 'bun:test'
import { Elysia, t } from 'elysia'

const Nullable = <T extends Parameters<typeof t.Union>[0][number]>(schema: T) => t.Union([schema, t.Null()])
const Inner = t.Object({ text: t.String(), deep: Nullable(t.Object({ n: t.Number() })), maybe: t.Optional(t.String()) })
const Answer = t.Object({
  one: Nullable(Inner),
  other: t.Union([t.Null(), Inner]),
  list: Nullable(t.Array(t.Object({ name: Nullable(t.String()) }))),
  id: Nullable(t.String({ pattern: '^[0-9]+$' })),
  rows: t.Array(t.Object({ inner: Nullable(Inner), count: Nullable(t.Number()) })),
})

const inner = { text: 'a', deep: { n: 1 } }
const answer = { one: inner, other: inner, list: [{ name: null }], id: '7', rows: [{ inner, count: 3 }] }
const nothing = { one: null, other: null, list: null, id: null, rows: [{ inner: null, count: null }] }

const answered = async (value: unknown) => {
  const app = new Elysia().get('/', () => value as typeof Answer.static, { response: { 200: Answer } })
  const response = await app.handle(new Request('http://localhost/'))
  return { status: response.status, body: response.status === 200 ? await response.json() : undefined }
}

describe('an answer', () => {
  it('is what its schema says, nulls and objects in their place', async () => {
    for (const value of [answer, nothing]) expect(await answered(value)).toEqual({ status: 200, body: value })
    const withMaybe = { ...answer, one: { ...inner, maybe: 'b' } }
    expect(await answered(withMaybe)).toEqual({ status: 200, body: withMaybe })
  })

  it('keeps nothing that its schema does not name, in what may be null neither', async () => {
    const secret = { password: 'secret' }
    const marked = { ...inner, ...secret, deep: { n: 1, ...secret } }
    const value = {
      ...{ one: marked, other: marked, list: [{ name: 'x', ...secret }], id: '7', ...secret },
      rows: [{ inner: marked, count: 3, ...secret }],
    }
    expect(await answered(value)).toEqual({ status: 200, body: { ...answer, list: [{ name: 'x' }] } })
  })

  it('is refused where what may be null is something else', async () => {
    const wrong = [
      ...[{ one: 'text' }, { one: [] }, { one: { text: 1, deep: null } }, { one: { text: 'a' } }, { other: 5 }],
      ...[{ list: {} }, { list: [null] }, { id: 'x' }, { id: 7 }, { rows: [{ inner: null, count: 'three' }] }],
      ...[{ one: undefined }, { rows: [{ inner: 'text', count: null }] }],
    ]
    for (const fault of wrong) expect((await answered({ ...answer, ...fault })).status).toBe(422)
  })
})
