/**
 * Where the reader is in a conversation, held while rows come and go around it. Following the newest message is an intent:
 * it begins at the end and ends when the reader scrolls away; without it, the topmost row in sight stays where it is.
 */

/** The end is near enough. */
const END_PX = 48
/** Nearer than this to an edge, the view shifts. */
const REACH_PX = 700

/** The parts of a conversation, and their rows, by these names. */
const isChunk = (element: Element) => element.classList.contains('chunk')
const isRow = (element: Element): element is HTMLElement => element instanceof HTMLElement && 'key' in element.dataset

export interface Edges {
  isNearTop: boolean
  isNearBottom: boolean
  isAtBottom: boolean
}

export class Viewport {
  isFollowing = true
  private anchor: { key: string; seq: number; foot: number } | undefined
  private lastTop = 0

  constructor(private readonly scroller: HTMLElement) {}

  private distanceToEnd(): number {
    const { scrollHeight, scrollTop, clientHeight } = this.scroller
    return scrollHeight - scrollTop - clientHeight
  }

  edges(): Edges {
    const toEnd = this.distanceToEnd()
    return {
      isNearTop: this.scroller.scrollTop < REACH_PX,
      isNearBottom: toEnd < REACH_PX,
      isAtBottom: toEnd < END_PX,
    }
  }

  /** The reader, or something, scrolled. @param isEnd whether the last row there is the newest message */
  scrolled(isEnd: boolean): void {
    const { scrollTop } = this.scroller
    if (isEnd && this.distanceToEnd() < END_PX) this.isFollowing = true
    // What grows at the end moves nothing up: only a reader does.
    else if (scrollTop < this.lastTop - 1) this.isFollowing = false
    this.lastTop = scrollTop
    this.note()
  }

  /** The seq of the topmost row in sight; 0 for none. */
  get seq(): number {
    return this.anchor?.seq ?? 0
  }

  /** Remembers the topmost row in sight, by its foot: what stands above it, a day or a gap, may go when others come. */
  note(): void {
    const edge = this.scroller.getBoundingClientRect().top
    for (const row of this.rows()) {
      const { bottom } = row.getBoundingClientRect()
      if (bottom <= edge) continue
      this.anchor = { key: row.dataset.key ?? '', seq: Number(row.dataset.seq) || 0, foot: bottom - edge }
      return
    }
  }

  /** Before rows come or go: a scroll of which no event has come yet counts too. */
  catchUp(): void {
    if (this.scroller.scrollTop === this.lastTop) return
    if (this.scroller.scrollTop < this.lastTop - 1) this.isFollowing = false
    this.lastTop = this.scroller.scrollTop
    this.note()
  }

  /** After rows came or went: the reader sees what they saw. */
  settle(): void {
    if (this.isFollowing) {
      this.toEnd()
      return
    }
    const row = this.anchor && this.find(this.anchor.key)
    if (!row || !this.anchor) return
    const moved = row.getBoundingClientRect().bottom - this.scroller.getBoundingClientRect().top - this.anchor.foot
    if (Math.abs(moved) >= 1) this.scroller.scrollTop += moved
    this.lastTop = this.scroller.scrollTop
  }

  toEnd(): void {
    this.scroller.scrollTop = this.scroller.scrollHeight
    this.lastTop = this.scroller.scrollTop
  }

  /** @param share where its top comes to be, 0 for the top, 1 for the foot. @returns whether it is there */
  bring(key: string, share: number): boolean {
    const row = this.find(key)
    if (!row) return false
    const { top, height } = this.scroller.getBoundingClientRect()
    this.scroller.scrollTop += row.getBoundingClientRect().top - top - height * share
    this.lastTop = this.scroller.scrollTop
    this.isFollowing = false
    this.note()
    return true
  }

  /** The seq of the last row that is in sight to its foot. */
  lastSeen(): number {
    const foot = this.scroller.getBoundingClientRect().bottom + END_PX / 2
    let seen = 0
    for (const row of this.rows(true)) {
      const { bottom } = row.getBoundingClientRect()
      if (bottom > foot) continue
      seen = Number(row.dataset.seq) || seen
      if (seen > 0) break
    }
    return seen
  }

  find(key: string): HTMLElement | null {
    return this.scroller.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`)
  }

  /** Rows in order; chunks that are out of sight are passed over whole. */
  private *rows(isBackward = false): Generator<HTMLElement> {
    const { top, bottom } = this.scroller.getBoundingClientRect()
    for (const chunk of childrenOf(this.scroller.firstElementChild, isBackward)) {
      if (!isChunk(chunk)) continue
      const place = chunk.getBoundingClientRect()
      if (place.bottom <= top || place.top >= bottom) continue
      for (const row of childrenOf(chunk, isBackward)) if (isRow(row)) yield row
    }
  }
}

/** No list is made of them: it is asked for with every pixel that is scrolled. */
function* childrenOf(parent: Element | null, isBackward: boolean): Generator<Element> {
  let child = isBackward ? parent?.lastElementChild : parent?.firstElementChild
  for (; child; child = isBackward ? child.previousElementSibling : child.nextElementSibling) yield child
}
