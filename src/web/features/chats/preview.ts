/** One line of a message: for the chat list, quotes and notifications. */
import { t } from '../../i18n/language.ts'
import type { OutboxFile } from '../../sync/state.ts'
import type { Message } from '../../sync/wire.ts'

/** A line has room for no more, and laying out a long text costs. */
const MAX_LENGTH = 200

const oneLine = (text: string) => text.slice(0, MAX_LENGTH).replace(/\s+/g, ' ')

const kinds = () =>
  ({ text: '', image: t().photo, video: t().video, audio: t().voice, file: t().file, call: t().call }) as const

export function previewOf(message: Message): string {
  if (message.deleted_at) return t().deletedMessage
  if (message.call) return t().callWas[message.call.outcome]
  if (message.content) return oneLine(message.content)
  if (message.message_type === 'file' && message.media) return message.media.file_name
  return kinds()[message.message_type]
}

export const previewOfUnsent = ({ content, file }: { content: string; file: OutboxFile | null }): string =>
  content ? oneLine(content) : file ? (file.kind === 'file' ? file.name : kinds()[file.kind]) : ''
