import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { t } from '../../i18n/language.ts'
import { chatNow } from '../../state/client.ts'
import { Icon } from '../../ui/icon.tsx'
import { pick, picked } from './sending.ts'

/** Files that are dropped anywhere on the page go into the open conversation, and never away from the page. */
export function DropPlace({ chatId }: { chatId: string }) {
  const isOver = useSignal(false)
  const row = chatNow(chatId)?.row
  const mayWrite = row !== undefined && !row.is_read_only && (row.type !== 'channel' || row.role !== 'member')
  useEffect(() => {
    const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false
    const over = (event: DragEvent) => {
      if (!hasFiles(event)) return
      event.preventDefault()
      isOver.value = mayWrite
    }
    const leave = (event: DragEvent) => {
      if (event.relatedTarget === null) isOver.value = false
    }
    const drop = (event: DragEvent) => {
      if (!hasFiles(event)) return
      event.preventDefault()
      isOver.value = false
      if (mayWrite) pick(event.dataTransfer?.files ?? [])
    }
    addEventListener('dragover', over)
    addEventListener('dragleave', leave)
    addEventListener('drop', drop)
    return () => {
      removeEventListener('dragover', over)
      removeEventListener('dragleave', leave)
      removeEventListener('drop', drop)
      picked.value = []
    }
  }, [chatId, mayWrite, isOver])
  if (!isOver.value) return null
  return (
    <div class="drop-here">
      <Icon name="attach" size={36} />
      {t().dropHere}
    </div>
  )
}
