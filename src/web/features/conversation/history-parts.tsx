/** What a history is made of: parts of it, the ends where more is loaded, the way to the newest message. */
import { t } from '../../i18n/language.ts'
import type { Conversation, Row } from '../../sync/rows.ts'
import { Button } from '../../ui/button.tsx'
import { Icon } from '../../ui/icon.tsx'
import { MessageRow } from './message.tsx'

/** Rows as lists that stay the same objects while their rows do: a chunk without a change is not rendered. */
export class Rows {
  private readonly known = new Map<number, Row[]>()
  same(chunk: number, rows: Row[]): Row[] {
    const before = this.known.get(chunk)
    if (before?.length === rows.length && before.every((row, index) => row === rows[index])) return before
    this.known.set(chunk, rows)
    return rows
  }
}

interface ChunkProps {
  rows: Row[]
  isGroup: boolean
  isChannel: boolean
  foundSeq: number
}

export function Chunk({ rows, isGroup, isChannel, foundSeq }: ChunkProps) {
  // Reading a signal makes the bindings compare properties, and so skip a chunk that stayed the same.
  t()
  return (
    <ul class="chunk">
      {rows.map((row) => (
        <MessageRow
          key={row.key}
          row={row}
          isGroup={isGroup}
          isChannel={isChannel}
          isFound={row.seq > 0 && row.seq === foundSeq}
        />
      ))}
    </ul>
  )
}

/** Where more is being loaded; its height is there from the beginning. */
export function Edge({ conversation, retry }: { conversation: Conversation; retry(): void }) {
  return (
    <div class="edge">
      {conversation.hasFailed ? (
        <Button isSmall kind="quiet" onClick={retry}>
          {t().retry}
        </Button>
      ) : (
        <span class="spinner" role="status" aria-label={t().loading} />
      )}
    </div>
  )
}

export function ToNewest({ count, onClick }: { count: number; onClick(): void }) {
  return (
    <button type="button" class="to-newest" aria-label={t().toNewest} title={t().toNewest} onClick={onClick}>
      <Icon name="down" size={22} />
      <span class="to-newest-label">{t().toNewest}</span>
      {count > 0 && <span class="badge">{count > 999 ? '999+' : count}</span>}
    </button>
  )
}
