/**
 * Which messages of a long conversation are in the page. They come in chunks of 5 whose borders never move (by seq), so
 * that a shift adds and removes whole elements and leaves the others alone. Nothing here knows the page.
 */

export const CHUNK = 5
/** Chunks in the page at a time: 120 rows. */
const MOST = 24
const STEP = 1

/** Numbers of chunks, both included. */
export interface View {
  from: number
  to: number
}
/** Seqs of the messages that are loaded; `last` is below `first` when there are none. */
export interface Loaded {
  first: number
  last: number
}

export const chunkOf = (seq: number) => Math.floor((Math.max(seq, 1) - 1) / CHUNK)

/** The seqs of a chunk that are loaded. */
export const boundsOf = (chunk: number, { first, last }: Loaded) => ({
  from: Math.max(first, chunk * CHUNK + 1),
  to: Math.min(last, (chunk + 1) * CHUNK),
})

function within({ from, to }: View, loaded: Loaded): View {
  const [least, most] = [chunkOf(loaded.first), chunkOf(Math.max(loaded.first, loaded.last))]
  const end = Math.min(Math.max(to, least), most)
  return { from: Math.max(least, Math.min(from, end)), to: end }
}

export const viewOfEnd = (loaded: Loaded): View =>
  within({ from: chunkOf(loaded.last) - MOST + 1, to: chunkOf(loaded.last) }, loaded)

export function viewAround(seq: number, loaded: Loaded): View {
  const middle = chunkOf(seq)
  return within({ from: middle - MOST / 2 + 1, to: middle + MOST / 2 }, loaded)
}

/** The same part of what is loaded now, filled up where it has room. */
export function keep({ from, to }: View, loaded: Loaded): View {
  const kept = within({ from, to }, loaded)
  return within({ from: Math.min(kept.from, kept.to - MOST + 1), to: kept.to }, loaded)
}

export const shiftUp = ({ from, to }: View, loaded: Loaded): View => {
  const start = within({ from: from - STEP, to }, loaded).from
  return { from: start, to: Math.min(to, start + MOST - 1) }
}

export const shiftDown = ({ from, to }: View, loaded: Loaded): View => {
  const end = within({ from, to: to + STEP }, loaded).to
  return { from: Math.max(from, end - MOST + 1), to: end }
}
