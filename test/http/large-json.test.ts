/** Bodies with pictures: how many, how large, how slow. */
import { describe, expect, it } from 'bun:test'
import { createLargeJsonReader, MAX_LARGE_JSON_BYTES } from '../../src/http/large-json.ts'

const PLACE = 'http://localhost/'
const send = (body: string, headers: Record<string, string> = {}) =>
  new Request(PLACE, {
    method: 'PATCH',
    body,
    headers: { 'content-type': 'application/json', 'content-length': String(body.length), ...headers },
  })
/** Begins, and does not go on until it is ended. */
const sendSlowly = (ended: Promise<void> = new Promise(() => undefined)) =>
  new Request(PLACE, {
    method: 'PATCH',
    headers: { 'content-type': 'application/json', 'content-length': '5000000' },
    body: new ReadableStream({
      start(controller) {
        controller.enqueue(Buffer.from('{"avatar":"'))
        ended.then(() => controller.close())
      },
    }),
  })
const outcome = (read: Promise<unknown>) => read.catch(({ status }) => status)
const slow = { silenceMs: 60_000, windowMs: 60_000, minBytes: 1 }

describe('a body with a picture', () => {
  it('may have 8 MB and no more', async () => {
    const read = createLargeJsonReader()
    const fields = { avatar: 'A'.repeat(8_000_000) }
    expect(await read(send(JSON.stringify(fields)))).toEqual(fields)
    expect(await outcome(read(send(JSON.stringify({ avatar: 'A'.repeat(MAX_LARGE_JSON_BYTES) }))))).toBe(413)
  })

  it('is no other than it says: what claims to be small has to be', async () => {
    const read = createLargeJsonReader()
    expect(await outcome(read(send(JSON.stringify({ a: 'A'.repeat(70_000) }), { 'content-length': '10' })))).toBe(413)
    expect(await outcome(read(send('{"a":', { 'content-length': '70000' })))).toBe(400)
    expect(await outcome(read(send('{}', { 'content-type': 'text/plain' })))).toBe(415)
  })

  it('waits for some others, is refused when too many wait, and never keeps a small one waiting', async () => {
    const read = createLargeJsonReader(slow)
    const ending = Promise.withResolvers<void>()
    const pending = Array.from({ length: 40 }, () => outcome(read(sendSlowly(ending.promise))))
    expect(await outcome(read(sendSlowly()))).toBe(503)
    expect(await read(send('{"bio":"Hello"}'))).toEqual({ bio: 'Hello' })
    ending.resolve()
    // None of them was whole.
    expect(await Promise.all(pending)).toEqual(Array(40).fill(400))
  })

  it('is given up when it does not come', async () => {
    const read = createLargeJsonReader({ silenceMs: 50, windowMs: 50, minBytes: 1000 })
    const all = Array.from({ length: 20 }, () => outcome(read(sendSlowly())))
    expect(new Set(await Promise.all(all))).toEqual(new Set([408]))
  })
})
