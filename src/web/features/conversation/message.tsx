import type { ComponentChildren } from 'preact'
import { clock, day, full } from '../../i18n/format.ts'
import { language, languages, t } from '../../i18n/language.ts'
import { client, userNow } from '../../state/client.ts'
import { translated } from '../../state/failures.ts'
import { nameOf } from '../../state/names.ts'
import { go, route } from '../../state/route.ts'
import type { Row } from '../../sync/rows.ts'
import { Avatar, hueOf } from '../../ui/avatar.tsx'
import { Attachment } from '../media/attachment.tsx'
import { isOnlyEmoji, isRightToLeft } from './links.ts'
import { openMessageMenu } from './message-menu.tsx'
import { Quote } from './quote.tsx'
import { richText } from './text.tsx'
import { Ticks } from './ticks.tsx'

interface MessageProps {
  row: Row
  /** Whether those who write are many: then their names and faces stand beside what they wrote. */
  isGroup: boolean
  isChannel: boolean
  /** Somebody was led here. */
  isFound: boolean
}

const TAP_ONLY = matchMedia('(hover: none)')

/** One row of a conversation, with the day or the unread line above it. */
export function MessageRow({ row, isGroup, isChannel, isFound }: MessageProps) {
  const at = new Date(row.at)
  const { message } = row
  const isOut = row.isOwn && !isChannel
  const classes = ['message', isOut ? 'out' : 'in', !row.startsGroup && 'follows', isFound && 'found']
  return (
    <li data-key={row.key} data-seq={row.seq || undefined}>
      {row.startsDay && (
        <div class="day">
          <span>{day(at)}</span>
        </div>
      )}
      {row.isFirstUnread && <div class="unread-line">{t().unreadLine}</div>}
      <article
        class={classes.filter(Boolean).join(' ')}
        tabIndex={-1}
        aria-label={labelOf(row)}
        onContextMenu={(event) => openMessageMenu(row, event)}
      >
        {isGroup && !isOut && <SenderFace row={row} />}
        <Bubble row={row} isNamed={isGroup && !isOut && row.startsGroup} isOut={isOut} />
        {!message?.deleted_at && (
          <button
            type="button"
            class="message-tools"
            aria-label={t().messageActions}
            title={t().messageActions}
            tabIndex={-1}
            aria-haspopup="menu"
            onClick={(event) => openMessageMenu(row, event)}
          />
        )}
      </article>
    </li>
  )
}

/** What is read of it: who, when, how far it has come; the text follows. */
const labelOf = ({ message, at }: Row) =>
  `${nameOf(message ? message.sender_id : client.state.session.userId)}, ${clock(new Date(at))}`

function SenderFace({ row }: { row: Row }) {
  const senderId = row.message?.sender_id ?? ''
  if (!row.endsGroup) return <span class="message-avatar" />
  return (
    <span class="message-avatar">
      <Avatar id={senderId} name={nameOf(senderId)} url={userNow(senderId)?.profile?.avatar_url} size={32} />
    </span>
  )
}

function Bubble({ row, isNamed, isOut }: { row: Row; isNamed: boolean; isOut: boolean }) {
  const { message, entry } = row
  const isDeleted = message?.deleted_at != null
  const text = isDeleted ? t().deletedMessage : (message?.content ?? entry?.content ?? '')
  const replyToId = isDeleted ? null : (message?.reply_to_id ?? entry?.replyToId ?? null)
  const hasFile = !isDeleted && (message ? message.message_type !== 'text' : entry?.file != null)
  const meta = metaText(row)
  const isCross = isRightToLeft(text) !== (languages[language.value].direction === ('rtl' as string))
  const classes = [
    'bubble',
    isDeleted && 'gone',
    hasFile && 'with-file',
    (isCross || (hasFile && !text)) && 'meta-below',
  ]
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: a shortcut for fingers; the context menu does the same
    // biome-ignore lint/a11y/useKeyWithClickEvents: keys have the button and Enter
    <div
      class={classes.filter(Boolean).join(' ')}
      onClick={(event) => {
        const isElsewhere = (event.target as Element).closest('a, button, video, audio') !== null
        if (TAP_ONLY.matches && !isElsewhere && getSelection()?.isCollapsed !== false) openMessageMenu(row, event)
      }}
    >
      {isNamed && message && <Sender userId={message.sender_id} />}
      {replyToId && <Quote chatId={message?.chat_id ?? entry?.chatId ?? ''} messageId={replyToId} />}
      {hasFile && <Attachment row={row} />}
      {text && bubbleText({ text, meta, isOut, isEmoji: !isDeleted && !replyToId && !hasFile })}
      {metaLine({ row, meta, isOut })}
      {row.tick === 'failed' && <FailedActions row={row} />}
    </div>
  )
}

function metaText({ at, message }: Row): string {
  const isEdited = message !== undefined && message.rev > 0 && !message.deleted_at
  return `${isEdited ? `${t().edited} ` : ''}${clock(new Date(at))}`
}

interface BubbleTextProps {
  text: string
  meta: string
  isOut: boolean
  isEmoji: boolean
}

// No component, as little else of a row is: each has a price, and a row has no state.
function bubbleText({ text, meta, isOut, isEmoji }: BubbleTextProps): ComponentChildren {
  const isBig = isEmoji && isOnlyEmoji(text)
  return (
    // A place for the time and the ticks is kept at the end of the last line.
    <div class={isBig ? 'bubble-text big' : 'bubble-text'} dir="auto" data-meta={isOut ? `${meta}____` : meta}>
      {richText(text)}
    </div>
  )
}

function metaLine({ row, meta, isOut }: { row: Row; meta: string; isOut: boolean }) {
  const at = new Date(row.at)
  return (
    <span class="bubble-meta">
      <time
        dateTime={at.toISOString()}
        // In words when somebody points at it: of most nobody asks, and they cost more than the rest of the line.
        onPointerEnter={({ currentTarget }) => {
          currentTarget.title = full(at)
        }}
      >
        {meta}
      </time>
      {isOut && row.tick !== 'none' && <Ticks tick={row.tick} />}
    </span>
  )
}

function Sender({ userId }: { userId: string | null }) {
  const name = nameOf(userId)
  return (
    <button
      type="button"
      class="bubble-name"
      dir="auto"
      style={{ '--hue': String(hueOf(userId ?? '')) }}
      tabIndex={-1}
      onClick={() => userId && go({ page: ['user', userId], ...(innerWidth < 768 && { chat: route.value.chat }) })}
    >
      {name}
    </button>
  )
}

function FailedActions({ row: { key, entry } }: { row: Row }) {
  return (
    <div class="failed-actions">
      <span>{entry?.error ? translated(entry.error.error) : t().failed}</span>
      <button type="button" onClick={() => client.retry(key)}>
        {t().retry}
      </button>
      <button type="button" class="danger" onClick={() => client.discard(key)}>
        {t().delete}
      </button>
    </div>
  )
}
