/** What a message is beyond its text, through the writer: files and calls. */
import { afterEach, describe, expect, it } from 'bun:test'
import type { Attachment } from '../../../src/features/messages/writer-store.ts'
import { upTo } from './support.ts'
import { draftOf, outcomesOf, startWriter } from './writer-setup.ts'

let setup: Awaited<ReturnType<typeof startWriter>> | undefined
afterEach(() => setup?.stop())

const file: Attachment = {
  messageType: 'file',
  mediaUrl: 'uploads/2026/01/15/abc.pdf',
  media: {
    file_path: 'uploads/2026/01/15/abc.pdf',
    thumbnail: null,
    file_name: "it's «a» \\ file.pdf",
    file_size: 12,
    mime_type: 'application/pdf',
    width: null,
    height: null,
    duration: null,
    preview: null,
    waveform: null,
    compressed: false,
    status: 'ready',
  },
  call: null,
}
const call: Attachment = {
  messageType: 'call',
  mediaUrl: null,
  media: null,
  call: { media: 'video', outcome: 'completed', duration: 61 },
}

describe('a file or a call', () => {
  it('is numbered among the texts that are sent with it, and told as it is stored', async () => {
    setup = await startWriter()
    const { writer, addChats, sql, published } = setup
    const { chatIds, userIds } = await addChats(2)
    const kinds = [undefined, file, undefined, call]
    const drafts = upTo(40).map((n) => draftOf(chatIds[n % 2], userIds[0], { attachment: kinds[n % 4] }))
    const sent = await Promise.all(drafts.map((draft) => writer.send(draft)))
    for (const [index, { message, json }] of sent.entries()) {
      const expected = drafts[index]?.attachment
      expect(message.seq).toBe(Math.floor(index / 2) + 1)
      expect(message.message_type).toBe(expected?.messageType ?? 'text')
      expect(message.media_url).toBe(expected?.mediaUrl ?? null)
      expect(message.media).toEqual(expected?.media ?? null)
      expect(message.call).toEqual(expected?.call ?? undefined)
      expect(json).toBe(JSON.stringify(message))
      const [row] = await sql`select message_type, media_url, media, call from messages where id = ${message.id}`
      expect(row).toEqual({
        message_type: message.message_type,
        media_url: message.media_url,
        media: message.media,
        call: message.call ?? null,
      })
    }
    await Bun.sleep(1)
    expect(published.map(({ payload }) => JSON.parse(payload).message.id).sort()).toEqual(
      drafts.map((d) => d.id).sort(),
    )
  })

  it('is answered as it was first when it comes again under its key, whatever it is then', async () => {
    setup = await startWriter()
    const { writer, addChats, seqsOf } = setup
    const { chatIds, userIds } = await addChats(1)
    const first = await writer.send(draftOf(chatIds[0], userIds[0], { clientId: 'key', attachment: call }))
    const again = await writer.send(draftOf(chatIds[0], userIds[0], { clientId: 'key', attachment: file }))
    expect(again).toEqual({ ...first, isRepeat: true })
    expect(await seqsOf(chatIds[0] ?? '')).toEqual([1])
  })

  it('is refused to strangers, and fails no text beside it', async () => {
    setup = await startWriter()
    const { writer, addChats, seqsOf } = setup
    const { chatIds, userIds } = await addChats(1)
    const outcomes = await outcomesOf([
      writer.send(draftOf(chatIds[0], Bun.randomUUIDv7(), { attachment: file })),
      writer.send(draftOf(chatIds[0], userIds[0])),
      writer.send(draftOf(chatIds[0], userIds[1], { attachment: file })),
    ])
    expect(outcomes).toEqual(['404 Chat not found', 1, 2])
    expect(await seqsOf(chatIds[0] ?? '')).toEqual([1, 2])
  })
})
