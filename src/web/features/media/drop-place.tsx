import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { t } from '../../i18n/language.ts'
import { chatNow } from '../../state/client.ts'
import { Icon } from '../../ui/icon.tsx'
import { toast } from '../../ui/toast.tsx'
import { pick, picked } from './sending.ts'

/** While something is held over a page it hears so several times a second (HTML, "drag-and-drop processing model"). */
const GONE_MS = 1000

/** Without folders, which look like files and cannot be read. */
function filesOf({ items }: DataTransfer): File[] {
  const given = [...items].filter(({ kind }) => kind === 'file')
  const files = given.filter((item) => !item.webkitGetAsEntry?.()?.isDirectory)
  if (files.length < given.length) toast(t().noFolders)
  return files.flatMap((item) => item.getAsFile() ?? [])
}

/** Files that are dropped anywhere on the page go into the open conversation, and never away from the page. */
export function DropPlace({ chatId }: { chatId: string }) {
  const isOver = useSignal(false)
  const row = chatNow(chatId)?.row
  const mayWrite = row !== undefined && !row.is_read_only && (row.type !== 'channel' || row.role !== 'member')
  useEffect(() => {
    const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false
    let timer: ReturnType<typeof setTimeout> | undefined
    const end = () => {
      clearTimeout(timer)
      isOver.value = false
    }
    const over = (event: DragEvent) => {
      if (!hasFiles(event)) return
      event.preventDefault()
      isOver.value = mayWrite
      // Not every way out of the page is told.
      clearTimeout(timer)
      timer = setTimeout(end, GONE_MS)
    }
    const leave = (event: DragEvent) => {
      if (event.relatedTarget === null) end()
    }
    const drop = (event: DragEvent) => {
      if (!hasFiles(event)) return
      event.preventDefault()
      end()
      if (mayWrite && event.dataTransfer) pick(filesOf(event.dataTransfer))
    }
    addEventListener('dragover', over)
    addEventListener('dragleave', leave)
    addEventListener('drop', drop)
    return () => {
      end()
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
