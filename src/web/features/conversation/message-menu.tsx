/** What one can do with a message: one menu for the whole conversation. */
import { signal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { t } from '../../i18n/language.ts'
import { copyText } from '../../platform/clipboard.ts'
import { client } from '../../state/client.ts'
import { attempt } from '../../state/failures.ts'
import type { Row } from '../../sync/rows.ts'
import { ask } from '../../ui/dialog.tsx'
import { Item, type MenuItem, place, steer } from '../../ui/menu.tsx'
import { toast } from '../../ui/toast.tsx'
import { startEditing, startReply } from './composing.ts'

const opened = signal<{ row: Row; at: DOMRect } | undefined>(undefined)
const MENU = 'message-menu'

/** By a click, a long press, a key. A selection and a link keep the browser's own menu. */
export function openMessageMenu(row: Row, event: MouseEvent | KeyboardEvent): void {
  const isTheirs = event.type === 'contextmenu' && (event.target as Element).closest('a, video, audio') !== null
  if (isTheirs || row.message?.deleted_at || itemsOf(row).length === 0) return
  event.preventDefault()
  const isPointed = event instanceof MouseEvent && (event.clientX > 0 || event.clientY > 0)
  const at = isPointed
    ? new DOMRect(event.clientX, event.clientY, 0, 0)
    : (event.target as Element).getBoundingClientRect()
  opened.value = { row, at }
}

function itemsOf({ message, entry, key, isOwn }: Row): MenuItem[] {
  if (entry) {
    const failed: MenuItem[] =
      entry.status === 'failed' ? [{ label: t().retry, icon: 'send', run: () => client.retry(key) }] : []
    return [...failed, { label: t().delete, icon: 'trash', isDangerous: true, run: () => client.discard(key) }]
  }
  const chat = message && client.state.chats.get(message.chat_id)
  if (!message || !chat) return []
  const { role, type, is_read_only } = chat.row
  const isStaff = role !== 'member' && type !== 'dm'
  const mayWrite = !is_read_only && (type !== 'channel' || isStaff)
  const items: (MenuItem | false)[] = [
    mayWrite && { label: t().reply, icon: 'reply', run: () => startReply(message) },
    message.content !== '' && { label: t().copyText, icon: 'copy', run: () => copy(message.content) },
    isOwn && mayWrite && canBeEdited(message) && { label: t().edit, icon: 'compose', run: () => startEditing(message) },
    (isOwn || isStaff) && {
      label: t().delete,
      icon: 'trash',
      isDangerous: true,
      run: async () => {
        if (await ask(t().deleteAsk, t().delete)) attempt(() => client.remove(message))
      },
    },
  ]
  return items.filter((item) => item !== false)
}

export const canBeEdited = (message: { message_type: string; deleted_at: string | null }) =>
  message.message_type !== 'call' && message.deleted_at === null

export const copy = (text: string) =>
  attempt(async () => {
    await copyText(text)
    toast(t().copied)
  })

export function MessageMenu() {
  const menu = useRef<HTMLDivElement>(null)
  const { value } = opened
  useEffect(() => {
    if (!value || !menu.current) return
    const before = document.activeElement as HTMLElement | null
    menu.current.showPopover()
    place(menu.current, value.at)
    menu.current.querySelector<HTMLElement>('[role="menuitem"]')?.focus()
    return () => before?.focus({ preventScroll: true })
  }, [value])
  return (
    <div
      ref={menu}
      id={MENU}
      class="menu"
      popover="auto"
      role="menu"
      tabIndex={-1}
      aria-label={t().messageActions}
      onKeyDown={steer}
      // Not `toggle`: that comes later, perhaps when the menu is open again.
      onBeforeToggle={(event) => {
        if (event.newState === 'closed') opened.value = undefined
      }}
    >
      {value && itemsOf(value.row).map((item) => <Item key={item.label} {...item} menuId={MENU} />)}
    </div>
  )
}
