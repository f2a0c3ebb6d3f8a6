/** Addresses of files: the server signs them for me, a hundred at a time, and each is good for an hour at least. */
import { type Signal, signal } from '@preact/signals'
import { client } from './client.ts'

interface Link {
  url: string
  /** Milliseconds since 1970. */
  expiresAt: number
}
/** undefined: being asked; null: not there for me. */
type Known = Link | null | undefined

const MOST_AT_ONCE = 100
/** A link that ends sooner is asked for anew. */
const SPARE_MS = 5 * 60_000

const links = new Map<string, Signal<Known>>()
let wanted: string[] = []

/** Reading it in a rendering shows the file when its address has come. */
export function linkTo(path: string): string | null | undefined {
  let known = links.get(path)
  const isOver = known?.peek() && (known.peek() as Link).expiresAt < Date.now() + SPARE_MS
  if (!known || isOver) {
    known ??= signal<Known>(undefined)
    links.set(path, known)
    if (wanted.length === 0) setTimeout(askForAll)
    wanted.push(path)
  }
  return known.value === null ? null : known.value?.url
}

/** What did not open may open by a new address: it is asked for once it is wanted again. */
export const forgetLink = (path: string): void => {
  links.delete(path)
}

async function askForAll(): Promise<void> {
  const paths = [...new Set(wanted)]
  wanted = []
  for (let at = 0; at < paths.length; at += MOST_AT_ONCE) await ask(paths.slice(at, at + MOST_AT_ONCE))
}

async function ask(paths: string[]): Promise<void> {
  try {
    const answer = await client.api.mediaLinks(paths)
    for (const { path, url, expires_at } of answer.links) {
      const known = links.get(path)
      // Asked of this server, and led to nowhere else.
      if (known && url.startsWith('/')) known.value = { url, expiresAt: Date.parse(expires_at) }
    }
    for (const path of answer.not_found) {
      const known = links.get(path)
      if (known) known.value = null
    }
  } catch {
    // Without a network nothing is shown; whoever renders later asks again.
    for (const path of paths) links.delete(path)
  }
}
