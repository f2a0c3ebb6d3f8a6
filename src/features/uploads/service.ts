/** Uploads in one request: a form is read as it comes, and its files become messages when all of it is there. */
import { join } from 'node:path'
import { bodyTooLarge, validationFailed } from '../../errors.ts'
import { type FormFile, readForm, requireForm } from '../../http/multipart.ts'
import { readSteadily } from '../../http/steady-body.ts'
import { safeFileName } from '../media/file-names.ts'
import type { Arrived } from '../media/making.ts'
import { receiveFile } from '../media/receive.ts'
import type { Work } from '../media/work.ts'
import type { Message } from '../messages/model.ts'
import type { Tier } from '../subscriptions/tiers.ts'
import type { Admission } from './admission.ts'
import {
  checkFields,
  checkGiven,
  FIELD_NAMES,
  MAX_FIELD_BYTES,
  MAX_FIELDS,
  MAX_FILES,
  type Uploaded,
  type UploadFields,
} from './model.ts'
import type { Sender } from './sender.ts'
import type { Slots } from './slots.ts'

export interface UploadsDeps {
  admission: Admission
  slots: Slots
  work: Work
  sender: Sender
  findSent(senderId: string, chatId: string, clientId: string): Promise<Message | undefined>
}

export type Uploads = ReturnType<typeof createUploads>

/** A file of the form, or the message that it was before under the same key. */
type Item = { arrived: Arrived } | { known: Message }

/** Of a form whose files are all as large as they may be. */
const MAX_OVERHEAD_BYTES = 1024 * 1024
const LIMITS = { fileField: 'file', maxFiles: MAX_FILES, maxFields: MAX_FIELDS, maxFieldBytes: MAX_FIELD_BYTES }

export function createUploads({ admission, slots, work, sender, findSent }: UploadsDeps) {
  async function read(userId: string, request: Request, tier: Tier, folder: string) {
    const given: Record<string, string> = {}
    const items: Item[] = []

    const take = async ({ name, body }: FormFile['file']): Promise<Item> => {
      checkGiven(given)
      const { chat_id, client_id } = given
      if (chat_id !== undefined) await admission.require(userId, chat_id, client_id)
      const known =
        chat_id !== undefined && client_id !== undefined
          ? await findSent(userId, chat_id, keyOf(client_id, items.length))
          : undefined
      if (known) return { known }
      const received = await receiveFile(body, join(folder, `${items.length}`), tier.uploadMaxBytes)
      if (received.size === 0) throw validationFailed({ file: 'must not be empty' })
      return { arrived: { ...received, fileName: safeFileName(name) } }
    }

    for await (const part of readForm(request.headers.get('content-type'), readSteadily(request.body), LIMITS)) {
      if (part.file) items.push(await take(part.file))
      else addField(given, part.name, part.value)
    }
    if (items.length === 0) throw validationFailed({ file: 'is missing' })
    checkFields(given)
    checkKey(given, items.length)
    return { fields: given, items }
  }

  return {
    /**
     * Receives a form, and stores a message for each of its files when all are there. A repeated `client_id` answers the first
     * messages. Nothing is left of one that fails.
     * @throws AppError 400, 403, 404, 408, 413, 415, 429, 503; StorageFull
     */
    async upload(userId: string, request: Request): Promise<Uploaded> {
      requireForm(request.headers.get('content-type'))
      const tier = await admission.tierOf(userId)
      const maxBytes = MAX_FILES * tier.uploadMaxBytes + MAX_OVERHEAD_BYTES
      if (Number(request.headers.get('content-length') ?? 0) > maxBytes) throw bodyTooLarge(maxBytes)
      const release = slots.take(userId)
      try {
        await admission.count(userId, tier)
        return await work.within(async (folder) => {
          const { fields, items } = await read(userId, request, tier, folder)
          // Much may have changed while it came. The writer has the last word; this spares the making.
          await admission.require(userId, fields.chat_id, fields.client_id)
          return toUploaded(await sendItems(userId, fields, items, tier))
        })
      } finally {
        release()
      }
    },
  }

  async function sendItems(userId: string, fields: UploadFields, items: readonly Item[], tier: Tier) {
    const { chat_id: chatId, content = '', client_id, reply_to_id } = fields
    const files = items.flatMap((item, index) => {
      if ('known' in item) return []
      const id = Bun.randomUUIDv7()
      const clientId = client_id === undefined ? id : keyOf(client_id, index)
      const isFirst = index === 0
      const texts = { content: isFirst ? content : '', replyToId: (isFirst && reply_to_id) || null }
      return [{ arrived: item.arrived, id, chatId, senderId: userId, clientId, ...texts }]
    })
    const sent = (await sender.send(files, tier)).values()
    return items.map((item) => ('known' in item ? item.known : sent.next().value)).filter((one) => one !== undefined)
  }
}

/** The key of each file of an album: the first has the client's own, the second `{client_id}#2`. */
const keyOf = (clientId: string, index: number) => (index === 0 ? clientId : `${clientId}#${index + 1}`)
/** What `#10` leaves of 64. */
const MAX_ALBUM_KEY = 61

function checkKey({ client_id = '' }: UploadFields, files: number): void {
  const isTooLong = files > 1 && [...client_id].length > MAX_ALBUM_KEY
  if (isTooLong) throw validationFailed({ client_id: `must be at most ${MAX_ALBUM_KEY} characters for several files` })
}

/** A form in a browser sends the fields that nobody filled in too. */
function addField(given: Record<string, string>, name: string, value: string): void {
  if (!FIELD_NAMES.includes(name) || (value === '' && name !== 'chat_id')) return
  if (given[name] !== undefined) throw validationFailed({ [name]: 'may be sent once' })
  given[name] = value
}

function toUploaded(messages: Message[]): Uploaded {
  const [message] = messages
  if (!message) throw new Error('An upload without a message')
  return { message, media: message.media, messages }
}
