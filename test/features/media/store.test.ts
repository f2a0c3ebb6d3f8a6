/** Rows of media: given up with their message, and worked on by one at a time. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'bun:test'
import { media } from '../../../src/db/schema/index.ts'
import * as store from '../../../src/features/media/store.ts'
import type { TestUser } from '../../support/client.ts'
import { startServer, type TestServer } from '../../support/server.ts'
import { addMedia } from './support.ts'

let server: TestServer
let owner: TestUser
beforeAll(async () => {
  server = await startServer()
  owner = await server.addUser()
})
afterAll(() => server.stop())
const db = () => server.database.db
beforeEach(async () => {
  await db().delete(media)
})

/** A file of a message that is there. */
async function unmade() {
  const { body: chat } = await owner.post('/chats', { name: 'Films', type: 'group' })
  const { body: message } = await owner.post('/messages', { chat_id: chat.id, content: 'A film' })
  const originalPath = 'uploads/2026/01/15/x_original.mov'
  return addMedia(db(), owner.id, { originalPath, chatId: chat.id, messageId: message.id })
}
const claim = (leaseSeconds = 60) => store.claimUnmade(db(), { leaseSeconds })

describe('a row of media', () => {
  it('is found as it was stored, and gone when deleted', async () => {
    const row = await addMedia(db(), owner.id)
    expect(await store.findMedia(db(), row.id)).toMatchObject({
      ...row,
      attempts: 0,
      claimedUntil: null,
      releasedAt: null,
    })
    await store.deleteMedia(db(), row.id)
    expect(await store.findMedia(db(), row.id)).toBeUndefined()
  })

  it('is released with its message once, and no other', async () => {
    const row = await addMedia(db(), owner.id)
    const sameChat = await addMedia(db(), owner.id, { chatId: row.chatId })
    await db().transaction((tx) => store.releaseMedia(tx, row.chatId, row.messageId))
    const first = (await store.findMedia(db(), row.id))?.releasedAt
    expect(first).toBeInstanceOf(Date)
    expect((await store.findMedia(db(), sameChat.id))?.releasedAt).toBeNull()
    await Bun.sleep(5)
    await db().transaction((tx) => store.releaseMedia(tx, row.chatId, row.messageId))
    expect((await store.findMedia(db(), row.id))?.releasedAt).toEqual(first ?? null)
  })
})

describe('what is still to be made', () => {
  it('is claimed by one each, the oldest first, whoever asks at once', async () => {
    const rows = [await unmade(), await unmade(), await unmade()]
    await addMedia(db(), owner.id)
    const claimed = await Promise.all(Array.from({ length: 8 }, () => claim()))
    const ids = claimed.flatMap((row) => row?.id ?? [])
    expect(ids.toSorted()).toEqual(rows.map(({ id }) => id).toSorted())
    expect(await claim()).toBeUndefined()
    await db().delete(media)
    const [first, second] = [await unmade(), await unmade()]
    expect((await claim())?.id).toBe(first.id)
    expect((await claim())?.id).toBe(second.id)
  })

  it('is free again when whoever claimed it has died, and counts how often it was tried', async () => {
    await unmade()
    expect((await claim(-1))?.attempts).toBe(1)
    expect((await claim(-1))?.attempts).toBe(2)
    const third = await claim()
    if (!third) throw new Error('Nothing was claimed')
    await store.releaseClaim(db(), third, true)
    const fourth = await claim()
    if (!fourth) throw new Error('Nothing was claimed')
    expect(fourth.attempts).toBe(4)
    // Only whoever has it can give it back.
    await store.releaseClaim(db(), third, true)
    expect(await claim()).toBeUndefined()
    await store.releaseClaim(db(), fourth, false)
    expect((await claim())?.attempts).toBe(4)
  })

  it('waits for its message', async () => {
    const originalPath = 'uploads/2026/01/15/x_original.mov'
    await addMedia(db(), owner.id, { originalPath })
    expect(await claim()).toBeUndefined()
    const { id } = await unmade()
    expect((await claim())?.id).toBe(id)
  })

  it('is no longer theirs who lost the claim to another', async () => {
    await unmade()
    const late = await claim(-1)
    if (!late) throw new Error('Nothing was claimed')
    expect(await store.extendClaim(db(), late, -1)).toBe(true)
    const next = await claim()
    if (!next) throw new Error('Nothing was claimed again')
    expect(await store.extendClaim(db(), late, 60)).toBe(false)
    expect(await store.finishMedia(db(), late, { fileSize: 1 })).toBe(false)
    expect(await store.extendClaim(db(), next, 60)).toBe(true)
    expect(await store.finishMedia(db(), next, { fileSize: 77, mimeType: 'video/mp4' })).toBe(true)
    const done = await store.findMedia(db(), next.id)
    expect(done).toMatchObject({ fileSize: 77, mimeType: 'video/mp4', originalPath: null, claimedUntil: null })
    expect(await store.finishMedia(db(), next, {})).toBe(false)
    expect(await claim()).toBeUndefined()
  })

  it('is left alone when its message was deleted', async () => {
    const row = await unmade()
    const claimed = await claim()
    await db().transaction((tx) => store.releaseMedia(tx, row.chatId, row.messageId))
    if (!claimed) throw new Error('Nothing was claimed')
    expect(await store.extendClaim(db(), claimed, 60)).toBe(false)
    expect(await store.finishMedia(db(), claimed, {})).toBe(false)
    const other = await unmade()
    await db().transaction((tx) => store.releaseMedia(tx, other.chatId, other.messageId))
    expect(await claim()).toBeUndefined()
  })
})
