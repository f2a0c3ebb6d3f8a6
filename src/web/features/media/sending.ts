/** Files on their way into a conversation. */
import { signal } from '@preact/signals'
import { size } from '../../i18n/format.ts'
import { t } from '../../i18n/language.ts'
import { shrink } from '../../platform/image.ts'
import { client } from '../../state/client.ts'
import type { OutboxFile } from '../../sync/state.ts'
import { toast } from '../../ui/toast.tsx'
import { keepLocal } from './local-files.ts'

const MOST_FILES = 10

/** What was picked, pasted or dropped and is not yet sent. */
export const picked = signal<readonly File[]>([])

export function pick(files: Iterable<File>): void {
  // Before it is known the server has the only word.
  const most = client.state.session.me?.upload_max_bytes ?? Number.POSITIVE_INFINITY
  const fitting: File[] = []
  for (const file of files) {
    if (file.size === 0) toast(t().emptyFile(file.name))
    else if (file.size > most) toast(t().tooLarge(file.name, size(most)))
    else fitting.push(file)
  }
  const all = [...picked.value, ...fitting]
  if (all.length > MOST_FILES) toast(t().mostFiles(MOST_FILES))
  picked.value = all.slice(0, MOST_FILES)
}

const kindOf = (type: string): OutboxFile['kind'] => {
  const [family] = type.split('/')
  if (type === 'image/svg+xml') return 'file'
  return family === 'image' || family === 'video' || family === 'audio' ? family : 'file'
}

export interface SendOptions {
  content?: string
  replyToId?: string | null
  /** In seconds. */
  duration?: number
}

export async function sendFile(chatId: string, file: File, options: SendOptions = {}): Promise<void> {
  const kind = kindOf(file.type)
  const small = kind === 'image' ? await shrink(file) : undefined
  const blob = small?.file ?? file
  const about: OutboxFile = {
    name: file.name || 'file',
    bytes: blob.size,
    mimeType: blob.type || 'application/octet-stream',
    kind: kind === 'image' && !small ? 'file' : kind,
    width: small?.width ?? null,
    height: small?.height ?? null,
    duration: options.duration ?? null,
  }
  const { content, replyToId } = options
  const clientId = client.upload(chatId, { file: blob, about, content, replyToId })
  keepLocal(clientId, blob)
}
