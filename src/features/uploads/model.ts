/** The shapes of uploads: the fields of a form, an upload in pieces, and what is answered. */
import { getSchemaValidator, type Static, t } from 'elysia'
import { validationFailed } from '../../errors.ts'
import { describeFaults } from '../../http/errors.ts'
import { cleanText, Instant, Uuid, Whole } from '../../http/text.ts'
import { Media } from '../media/model.ts'
import { ClientId, MAX_CONTENT_LENGTH, Message } from '../messages/model.ts'

/** Of a form, beside its files, and of the metadata of an upload in pieces. What is unknown is left out. */
export const UploadFields = t.Object({
  chat_id: Uuid,
  content: t.Optional(cleanText(0, MAX_CONTENT_LENGTH, { description: 'The caption', examples: ['By the sea'] })),
  client_id: t.Optional(ClientId),
  reply_to_id: t.Optional(Uuid),
})
export type UploadFields = Static<typeof UploadFields>
export const FIELD_NAMES = Object.keys(UploadFields.properties)

/** UTF-8 takes four bytes a character at most. */
export const MAX_FIELD_BYTES = 4 * MAX_CONTENT_LENGTH
export const MAX_FILES = 10
/** Some clients send more than is asked for. */
export const MAX_FIELDS = 16

const whole = getSchemaValidator(UploadFields, { additionalProperties: true })
const partial = getSchemaValidator(t.Partial(UploadFields), { additionalProperties: true })

/** @throws AppError 400 naming each faulty field */
export function checkFields(fields: Record<string, string>): asserts fields is UploadFields & Record<string, string> {
  if (!whole.Check(fields)) throw validationFailed(describeFaults(whole.Errors(fields), 'form'))
}

/** The same of those that have come so far. */
export function checkGiven(fields: Record<string, string>): void {
  if (!partial.Check(fields)) throw validationFailed(describeFaults(partial.Errors(fields), 'form'))
}

export const Uploaded = t.Object({
  message: Message,
  media: t.Nullable(Media, { description: "The message's; null when this is a repeat, and the message was deleted" }),
  messages: t.Array(Message, { description: 'One for each file, in their order; `message` is the first' }),
})
export type Uploaded = Static<typeof Uploaded>

export const PiecewiseUpload = t.Object({
  id: Uuid,
  chat_id: Uuid,
  file_name: t.String({ examples: ['holiday.mp4'] }),
  size: Whole({ examples: [104_857_600], description: 'Of the whole file, in bytes' }),
  offset: Whole({
    examples: [8_388_608],
    description: 'So much is safe, in bytes. It is `size` when the message is there, and not before',
  }),
  expires_at: t.String({ ...Instant, description: 'What is not whole by then is thrown away' }),
  message: t.Nullable(Message, { description: 'What it became' }),
})
export type PiecewiseUpload = Static<typeof PiecewiseUpload>
