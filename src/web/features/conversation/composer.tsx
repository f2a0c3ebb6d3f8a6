import { useSignal } from '@preact/signals'
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import { t } from '../../i18n/language.ts'
import { chatNow, client } from '../../state/client.ts'
import { attempt } from '../../state/failures.ts'
import { isMe, nameOf } from '../../state/names.ts'
import type { Chat } from '../../sync/state.ts'
import { IconButton } from '../../ui/button.tsx'
import { Icon } from '../../ui/icon.tsx'
import { toast } from '../../ui/toast.tsx'
import { previewOf } from '../chats/preview.ts'
import { PickedDialog } from '../media/picked-dialog.tsx'
import type { Recording } from '../media/recorder.ts'
import { pick, sendFile } from '../media/sending.ts'
import { VoiceRecorder } from '../media/voice-recorder.tsx'
import { editing, focusWanted, replyTo, startEditing, stopBoth } from './composing.ts'
import { endWanted } from './history.tsx'
import { canBeEdited } from './message-menu.tsx'
import { findMessage } from './quote.tsx'

/** Code points, as the server counts them. */
const MAX_LENGTH = 4096
const DRAFT_AFTER_MS = 400
/** Fingers have no Shift+Enter. */
const IS_TOUCH = matchMedia('(pointer: coarse)')

/** Where one writes; for those who may not, why. */
export function Composer({ chatId }: { chatId: string }) {
  const chat = chatNow(chatId)
  if (!chat) return null
  const { row } = chat
  const isStaff = row.role !== 'member'
  if (row.is_read_only || row.peer?.is_deleted) return <Note text={t().readOnly} />
  if (row.type === 'channel' && !isStaff) return <Note text={t().onlyStaff} />
  return <Writing chat={chat} />
}

const Note = ({ text }: { text: string }) => (
  <div class="composer">
    <p class="composer-note">{text}</p>
  </div>
)

function Writing({ chat }: { chat: Chat }) {
  const chatId = chat.id
  const text = useSignal(client.state.drafts.get(chatId)?.text ?? '')
  const field = useRef<HTMLTextAreaElement>(null)
  const picker = useRef<HTMLInputElement>(null)
  const recording = useSignal<Recording | undefined>(undefined)
  const changed = editing.value
  const answered = replyTo.value

  // What fills the field does so before it is painted, or it would undo a key that is pressed right then.
  // The draft comes back with the chat, and goes with it.
  useLayoutEffect(() => {
    const draft = client.state.drafts.get(chatId)
    const message = draft?.replyToId ? findMessage(chat, draft.replyToId) : undefined
    replyTo.value = message
    return stopBoth
  }, [chatId])
  const draft = useRef<(() => void) | undefined>(undefined)
  // With the drawing, not some time after: whoever leaves at once leaves what was typed, too.
  useLayoutEffect(() => {
    if (changed) return
    const now = { text: text.value, replyToId: answered?.id ?? null }
    draft.current = () => {
      draft.current = undefined
      client.setDraft(chatId, now.text.trim() || now.replyToId ? now : null)
    }
    const timer = setTimeout(() => draft.current?.(), DRAFT_AFTER_MS)
    return () => clearTimeout(timer)
  }, [text.value, answered, changed, chatId])
  useEffect(() => {
    const keep = () => draft.current?.()
    addEventListener('pagehide', keep)
    return () => {
      removeEventListener('pagehide', keep)
      keep()
    }
  }, [])
  useLayoutEffect(() => {
    if (changed) text.value = changed.content
  }, [changed, text])
  const wanted = focusWanted.value
  useEffect(() => {
    if (wanted > 0 || !IS_TOUCH.matches) field.current?.focus({ preventScroll: true })
  }, [wanted, chatId])
  useLayoutEffect(() => grow(field.current), [text.value])

  const excess = [...text.value.trim()].length - MAX_LENGTH
  const isSendable = text.value.trim() !== '' && excess <= 0

  function clear() {
    text.value = ''
    draft.current = undefined
    stopBoth()
    client.setDraft(chatId, null)
  }
  async function send() {
    if (!isSendable) return
    const content = text.value.trim()
    if (changed) {
      if (content !== changed.content && !(await attempt(() => client.edit(changed, content)))) return
      clear()
      return
    }
    client.send(chatId, { content, replyToId: answered?.id ?? null })
    clear()
    endWanted.value++
    field.current?.focus()
  }
  function editLast() {
    const mine = [...chat.messages.values()].filter((one) => isMe(one.sender_id) && canBeEdited(one))
    const last = mine.reduce((best, one) => (one.seq > (best?.seq ?? 0) ? one : best), mine[0])
    if (last) startEditing(last)
  }
  async function startRecording() {
    try {
      const { record } = await import('../media/recorder.ts')
      recording.value = await record()
    } catch {
      toast(t().noMicrophone)
    }
  }
  async function sendRecording() {
    const recorded = await recording.value?.finish()
    recording.value = undefined
    if (!recorded) return
    const { file, duration } = recorded
    await attempt(() => sendFile(chatId, file, { duration, replyToId: answered?.id ?? null }))
    stopBoth()
    endWanted.value++
  }
  // A recording ends with the conversation it is for.
  useEffect(() => () => recording.value?.discard(), [recording])

  function onPaste(event: ClipboardEvent) {
    const files = [...(event.clipboardData?.files ?? [])]
    if (files.length === 0) return
    event.preventDefault()
    pick(files)
  }
  function onKeyDown(event: KeyboardEvent) {
    if (event.isComposing) return
    if (event.key === 'Enter' && !event.shiftKey && !event.altKey && !IS_TOUCH.matches) {
      event.preventDefault()
      send()
    } else if (event.key === 'Escape' && (changed || answered)) {
      if (changed) text.value = ''
      stopBoth()
    } else if (event.key === 'ArrowUp' && text.value === '' && !changed) {
      event.preventDefault()
      editLast()
    }
  }

  return (
    <div class="composer">
      <form
        class="composer-box"
        onSubmit={(event) => {
          event.preventDefault()
          send()
        }}
      >
        {(changed ?? answered) && (
          <div class="composer-context">
            <Icon name={changed ? 'compose' : 'reply'} />
            <span class="quote">
              <strong dir="auto">{changed ? t().editing : t().replyingTo(nameOf(answered?.sender_id ?? null))}</strong>
              <span dir="auto">{previewOf((changed ?? answered) as NonNullable<typeof answered>)}</span>
            </span>
            <IconButton
              icon="close"
              label={t().cancel}
              onClick={() => {
                if (changed) text.value = ''
                stopBoth()
                field.current?.focus()
              }}
            />
          </div>
        )}
        {excess > 0 && (
          <p class="notice danger" role="alert">
            {t().tooLong(excess)}
          </p>
        )}
        {recording.value ? (
          <VoiceRecorder
            recording={recording.value}
            onSend={sendRecording}
            onDiscard={() => {
              recording.value?.discard()
              recording.value = undefined
            }}
          />
        ) : (
          <div class="composer-line">
            {!changed && <IconButton icon="attach" label={t().attach} onClick={() => picker.current?.click()} />}
            <textarea
              ref={field}
              rows={1}
              dir="auto"
              value={text.value}
              aria-label={chat.row.type === 'channel' ? t().post : t().writeMessage}
              placeholder={chat.row.type === 'channel' ? t().post : t().writeMessage}
              onInput={(event) => {
                text.value = event.currentTarget.value
                if (!changed && text.value.trim()) client.typing(chatId)
              }}
              onKeyDown={onKeyDown}
              onPaste={onPaste}
            />
            {!changed && text.value.trim() === '' ? (
              <IconButton icon="mic" label={t().recordVoice} onClick={startRecording} />
            ) : (
              <IconButton
                type="submit"
                icon={changed ? 'check' : 'send'}
                label={changed ? t().save : t().send}
                isFilled={isSendable}
                disabled={!isSendable}
              />
            )}
          </div>
        )}
        <input
          ref={picker}
          hidden
          multiple
          type="file"
          aria-label={t().attach}
          onChange={(event) => {
            pick(event.currentTarget.files ?? [])
            event.currentTarget.value = ''
          }}
        />
      </form>
      <PickedDialog chatId={chatId} replyToId={answered?.id ?? null} onSent={stopBoth} />
    </div>
  )
}

/** As high as its text; the styles set the most. */
function grow(field: HTMLTextAreaElement | null): void {
  if (!field) return
  field.style.blockSize = 'auto'
  field.style.blockSize = `${field.scrollHeight}px`
}
